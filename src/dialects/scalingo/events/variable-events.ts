/** The types of a change of variables. Values are secrets, which events never hold: a mask stands where the documents have them. */
import type { PlatformEvent } from '../../../core/events/event.ts';
import { listOf, textOf } from './event-data.ts';
import type { EventReader } from './reader.ts';
import type { TypedData } from './type-data.ts';

const MASK = '[hidden]';

export function variableChange({ data }: PlatformEvent, { survivesNewVariable }: EventReader): TypedData {
  const added = listOf(data, 'added');
  const updated = listOf(data, 'set').filter((name) => !added.includes(name));
  const removed = listOf(data, 'removed');
  const [name = '', ...others] = [...added, ...updated, ...removed];
  // Set by an add-on's provider.
  const addon = textOf(data, 'addon');
  const by = addon === '' ? {} : { addon_name: addon };
  if (data.single === true && others.length === 0 && name !== '') {
    if (removed.length > 0) return { type: 'delete_variable', data: { name, value: MASK, ...by } };
    if (updated.length > 0) return { type: 'edit_variable', data: { name, value: MASK, old_value: MASK, ...by } };
    if (survivesNewVariable || addon !== '') return { type: 'new_variable', data: { name, value: MASK, ...by } };
  }
  return {
    type: 'edit_variables',
    data: {
      new_vars: added.map((item) => ({ name: item, value: MASK })),
      updated_vars: updated.map((item) => ({ name: item, value: MASK, old_value: MASK })),
      deleted_vars: removed.map((item) => ({ name: item, value: MASK })),
      ...by,
    },
  };
}
