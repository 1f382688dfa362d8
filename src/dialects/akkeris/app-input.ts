/** The rules of this API for an app's fields; the messages are compared by clients. */
import type { AppView } from '../../core/apps/app.ts';
import { appKey } from './app-shape.ts';
import { Refusal, unprocessable } from './errors.ts';
import { type Fields, fieldsOf, flag, text } from './fields.ts';

export interface CreateAppInput {
  readonly name: string;
  readonly space: string;
  readonly organization: string;
  readonly description: string;
  readonly labels: readonly string[];
  /** To be called once space and organization were found: the API checks in that order. */
  readonly checkLength: () => void;
}

const KEY_MAX = 24;

/** Throws 422 refusals: name, then space, then organization. */
export function createAppInput(body: unknown): CreateAppInput {
  const fields = fieldsOf(body);
  const name = (text(fields, 'name') ?? '').trim().toLowerCase();
  if (!/^[A-Za-z0-9]+$/.test(name))
    throw unprocessable(
      'The application name was invalid or missing, it cannot contain dashes or other special characters.',
    );
  const space = (reference(fields, 'space') ?? '').trim().toLowerCase();
  if (!/^[A-z0-9-]+$/.test(space)) throw unprocessable('The application space field was not specified');
  const organization = (reference(fields, 'org') ?? reference(fields, 'organization') ?? '').trim();
  if (organization === '') throw unprocessable('The application org field was not specified');
  return {
    name,
    space,
    organization,
    description: text(fields, 'description') ?? '',
    labels: labelsOf(fields) ?? [],
    checkLength: () => {
      if (`${name}-${space}`.length > KEY_MAX)
        throw unprocessable(
          'The application name was too long, the app space and name must be less than 24 characters.',
        );
    },
  };
}

export interface UpdateAppInput {
  maintenance?: boolean;
  description?: string;
  labels?: readonly string[];
}

/** Throws a 400 refusal for a change of name or build stack, which this API does not offer. */
export function updateAppInput(body: unknown, app: AppView): UpdateAppInput {
  const fields = fieldsOf(body);
  const name = text(fields, 'name');
  if (name !== undefined && name !== app.name && name !== appKey(app))
    throw new Refusal(400, 'The name of an application cannot be changed.');
  const stack = text(fields, 'build_stack');
  if (stack !== undefined && stack !== 'ds1')
    throw new Refusal(400, 'The build stack of an application cannot be changed.');
  const maintenance = flag(fields, 'maintenance');
  const description = text(fields, 'description');
  const labels = labelsOf(fields);
  return {
    ...(maintenance === undefined ? {} : { maintenance }),
    ...(description === undefined ? {} : { description }),
    ...(labels === undefined ? {} : { labels }),
  };
}

/** A name, or an object with one. */
function reference(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'object' && value !== null ? text(value as Fields, 'name') : text(fields, name);
}

function labelsOf(fields: Fields): readonly string[] | undefined {
  return text(fields, 'labels')
    ?.split(',')
    .map((label) => label.trim())
    .filter((label) => label !== '');
}
