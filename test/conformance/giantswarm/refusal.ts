/** What the tests of definitions ask: is it refused, where, and why. */
import assert from 'node:assert/strict';
import type { ComponentDefinition } from '../../../src/dialects/giantswarm/definition/definition.ts';
import { parseDefinition } from '../../../src/dialects/giantswarm/definition/parse-definition.ts';
import { WrongInput } from '../../../src/dialects/giantswarm/definition/place.ts';

export function refused(definition: unknown, path: string, reason: RegExp): void {
  assert.throws(
    () => parseDefinition(definition),
    (error) => {
      assert.ok(error instanceof WrongInput, String(error));
      assert.equal(error.path, path);
      assert.match(error.reason, reason);
      assert.equal(error.message, path === '' ? error.reason : `${path}: ${error.reason}`);
      return true;
    },
    `${path} ${reason}`,
  );
}

/** The component of an accepted definition that has this type. */
export function component(definition: unknown, type: string): ComponentDefinition {
  const found = parseDefinition(definition).components.find((each) => each.type === type);
  assert.ok(found, type);
  return found;
}
