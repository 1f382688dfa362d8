/** The rules of this API for formations; the messages are compared by clients. */
import type { ProcessChange } from '../../core/processes/new-process.ts';
import { unprocessable } from './errors.ts';
import { type Fields, flag, text, whole } from './fields.ts';

/** Throws a 422 refusal. */
export function typeInput(value: string | undefined): string {
  if (value === undefined || !/^[a-z0-9]+$/.test(value))
    throw unprocessable(
      'The type specified was invalid, it cannot contain spaces or special characters (lower case alpha numeric only)',
    );
  return value;
}

/** What a formation's fields ask for. Throws 422 refusals; the size is checked by the core. */
export function changeInput(fields: Fields, type: string): ProcessChange {
  const isWeb = type === 'web';
  const quantity = whole(fields, 'quantity');
  if (quantity !== undefined && !(quantity >= 0 && quantity <= 32))
    throw unprocessable('The number of instances must be between 0 and 32.');
  const port = whole(fields, 'port');
  if (port !== undefined && !isWeb)
    throw unprocessable('A port was specified for a non-web based application, the port should not be set.');
  if (port !== undefined && !(port >= 1024 && port <= 65535))
    throw unprocessable('The specified port is invalid, it must be a number between 1024 and 65535.');
  const size = text(fields, 'size');
  const healthPath = healthInput(fields, isWeb);
  const command = commandInput(fields);
  return {
    ...(quantity === undefined ? {} : { quantity }),
    ...(port === undefined ? {} : { ports: [port] }),
    ...(size === undefined || size === '' ? {} : { size }),
    ...(healthPath === undefined ? {} : { healthPath }),
    ...(command === undefined ? {} : { command }),
  };
}

function healthInput(fields: Fields, isWeb: boolean): string | null | undefined {
  if (flag(fields, 'removeHealthcheck') === true) {
    if (!isWeb) throw unprocessable('Cannot remove healthcheck on non web based dyno.');
    return null;
  }
  const path = text(fields, 'healthcheck');
  if (path === undefined || path === '') return undefined;
  if (!isWeb)
    throw unprocessable('A healthcheck was specified for a non-web based application, the path should not be set.');
  return path;
}

function commandInput(fields: Fields): string | null | undefined {
  if (flag(fields, 'remove-command') === true) return null;
  const command = text(fields, 'command');
  // Null says "the default", which is what it is already on a new one.
  if (command === undefined) return fields.command === null ? null : undefined;
  return command.trim() === '' ? null : command;
}
