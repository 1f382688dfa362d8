import { shortId } from '../../core/names.ts';
import type { User } from '../../core/users/user.ts';

export interface Person {
  readonly id: string;
  readonly username: string;
  readonly email: string;
}

/** A person where another thing shows them: its owner, who pushed, who did it. */
export const personShape = ({ id, username, email }: Person) => ({ id: shortId(id), username, email });

/** The account itself. `token` is shown to its holder only. */
export function userShape(user: User, token?: string) {
  const [first = '', ...rest] = user.name.split(' ');
  return {
    ...personShape(user),
    first_name: first,
    last_name: rest.join(' '),
    company: '',
    location: '',
    email_newsletter: false,
    email_personal_advice: false,
    ...(token === undefined ? {} : { authentication_token: token }),
  };
}
