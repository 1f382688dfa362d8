/** Fields of an event's data, which is kept as it was when the event came to be: whatever is missing or of another type reads as nothing. */
import type { PlatformEvent } from '../../../core/events/event.ts';
import { isObject } from '../fields.ts';

type Data = PlatformEvent['data'];

export const textOf = (data: Data, field: string): string => {
  const value = data[field];
  return typeof value === 'string' ? value : '';
};

export const numberOf = (data: Data, field: string): number => {
  const value = data[field];
  return typeof value === 'number' ? value : 0;
};

export const listOf = (data: Data, field: string): readonly string[] => {
  const value = data[field];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
};

export const objectOf = (data: Data, field: string): Data => {
  const value = data[field];
  return isObject(value) ? value : {};
};
