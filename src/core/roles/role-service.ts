import type { Actor } from '../access/actor.ts';
import type { Authenticator } from '../access/authenticator.ts';
import { demand } from '../access/authorize.ts';
import { conflict, forbidden, invalid, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import type { Id } from '../names.ts';
import { type ContextType, covers, isPermission, type Permission, permissionContexts } from '../permissions.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Role, RoleAssignment } from './role.ts';

export interface CreateRole {
  readonly name: string;
  readonly context: ContextType;
  readonly description?: string;
}

/** Who an assignment is for, and where: the id of a team, app, pool…; null in the global context. */
export type Assignment = Omit<RoleAssignment, 'roleId'>;

/** Roles are named sets of permissions that can be given in one kind of context. Nobody gives away more than they hold themselves. */
export class RoleService {
  readonly #context: CoreContext;
  readonly #authenticator: Authenticator;
  constructor(context: CoreContext, authenticator: Authenticator) {
    this.#context = context;
    this.#authenticator = authenticator;
  }

  /** Throws conflict `role-exists`. */
  async create(actor: Actor, input: CreateRole): Promise<Role> {
    demand(actor, 'role.create');
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(input.name))
      throw invalid('name', 'a role needs a name of letters, digits and inner . _ -', 'malformed');
    const role: Role = {
      id: this.#context.ids.id(),
      name: input.name,
      context: input.context,
      description: input.description ?? '',
      permissions: [],
    };
    await this.#context.db.transaction(async (stores) => {
      if ((await stores.roles.find(role.name)) !== null)
        throw conflict('role-exists', `the role ${role.name} exists already`, 'role');
      await stores.roles.insert(role);
      await record(this.#context, stores, actor, 'RoleChanged', {}, { role: role.name, change: 'created' });
    });
    return role;
  }

  async list(actor: Actor): Promise<readonly Role[]> {
    demand(actor, 'role.read');
    return this.#context.db.roles.list();
  }

  async get(actor: Actor, reference: string): Promise<Role> {
    demand(actor, 'role.read');
    return this.#find(reference);
  }

  /** Adds permissions that the role's context allows and that the actor holds. Throws invalid `unknown-permission` or `wrong-context`. */
  async addPermissions(actor: Actor, reference: string, permissions: readonly Permission[]): Promise<Role> {
    demand(actor, 'role.update.permission.add');
    const role = await this.#find(reference);
    for (const permission of permissions) {
      checkPermission(permission, role.context);
      demandHeld(actor, permission);
    }
    return this.#setPermissions(actor, role, [...new Set([...role.permissions, ...permissions])]);
  }

  async removePermissions(actor: Actor, reference: string, permissions: readonly Permission[]): Promise<Role> {
    demand(actor, 'role.update.permission.remove');
    const role = await this.#find(reference);
    return this.#setPermissions(
      actor,
      role,
      role.permissions.filter((permission) => !permissions.includes(permission)),
    );
  }

  async assign(actor: Actor, reference: string, assignment: Assignment): Promise<void> {
    demand(actor, 'role.update.assign');
    const role = await this.#find(reference);
    for (const permission of role.permissions) demandHeld(actor, permission);
    if ((role.context === 'global') !== (assignment.contextId === null))
      throw invalid('context', `the role ${role.name} is given in the context ${role.context}`, 'wrong-context');
    await this.#assignment(actor, role, assignment, 'assigned');
  }

  async dissociate(actor: Actor, reference: string, assignment: Assignment): Promise<void> {
    demand(actor, 'role.update.dissociate');
    await this.#assignment(actor, await this.#find(reference), assignment, 'dissociated');
  }

  /** Throws conflict `role-in-use` while anybody has it. */
  async remove(actor: Actor, reference: string): Promise<void> {
    demand(actor, 'role.delete');
    const role = await this.#find(reference);
    await this.#context.db.transaction(async (stores) => {
      if ((await stores.roles.assignments(role.id)).length > 0)
        throw conflict('role-in-use', 'somebody still has this role; dissociate it first', 'role');
      await stores.roles.remove(role.id);
      await record(this.#context, stores, actor, 'RoleChanged', {}, { role: role.name, change: 'removed' });
    });
  }

  async #find(reference: string): Promise<Role> {
    const role = await this.#context.db.roles.find(reference);
    if (role === null) throw notFound('role', reference);
    return role;
  }

  async #setPermissions(actor: Actor, role: Role, permissions: readonly Permission[]): Promise<Role> {
    await this.#context.db.transaction(async (stores) => {
      await stores.roles.update(role.id, { permissions });
      await record(this.#context, stores, actor, 'RoleChanged', {}, { role: role.name, permissions });
    });
    this.#authenticator.forget();
    return { ...role, permissions };
  }

  async #assignment(
    actor: Actor,
    role: Role,
    assignment: Assignment,
    change: 'assigned' | 'dissociated',
  ): Promise<void> {
    await this.#context.db.transaction(async (stores) => {
      const row = { ...assignment, roleId: role.id };
      if (change === 'assigned') await stores.roles.assign(row);
      else await stores.roles.dissociate(row);
      await record(
        this.#context,
        stores,
        actor,
        'RoleChanged',
        {},
        { role: role.name, change, subject: assignment.subjectId, context: assignment.contextId as Id | null },
      );
    });
    this.#authenticator.forget();
  }
}

function checkPermission(permission: Permission, context: ContextType): void {
  const allowed =
    permission === '' ? (['global'] as const) : isPermission(permission) ? permissionContexts[permission] : undefined;
  if (allowed === undefined)
    throw invalid('permission', `the permission ${JSON.stringify(permission)} does not exist`, 'unknown-permission');
  if (!(allowed as readonly ContextType[]).includes(context))
    throw invalid(
      'permission',
      `the permission ${permission} cannot be given in the context ${context}`,
      'wrong-context',
    );
}

function demandHeld(actor: Actor, permission: Permission): void {
  const held = actor.grants.some((grant) => grant.context === 'global' && covers(grant.permission, permission));
  if (!held)
    throw forbidden(
      `you cannot give away ${permission === '' ? 'every permission' : `the permission ${permission}`}, which you do not hold everywhere yourself`,
      'escalation',
    );
}
