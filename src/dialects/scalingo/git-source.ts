/** What an app is made from at once: a repository of a host that packs its repositories into archives, or such an archive. Pure. */
import { unprocessable } from './errors.ts';

/** An app's note of the address it was made from. */
export const GIT_SOURCE = 'scalingo/git-source';

const name = '[A-Za-z0-9_][A-Za-z0-9_.-]*';
const github = new RegExp(`^/(${name})/(${name}?)(?:\\.git)?(?:/tree/(${name}(?:/${name})*))?/?$`);
const gitlab = new RegExp(`^/((?:${name}/)+)(${name}?)(?:\\.git)?(?:/-/tree/(${name}(?:/${name})*))?/?$`);

/** The address of the archive. Throws 422 `git_source`. */
export function archiveOf(source: string): string {
  const url = URL.parse(source);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw unprocessable('git_source', 'should be an http or https URL');
  if (/\.(?:tar\.gz|tgz|zip)$/.test(url.pathname)) return url.href;
  if (url.hostname === 'github.com') {
    const [, owner, repository, ref = 'HEAD'] = github.exec(url.pathname) ?? [];
    if (owner !== undefined) return `https://github.com/${owner}/${repository}/archive/${ref}.tar.gz`;
  }
  if (url.hostname === 'gitlab.com') {
    const [, group, repository, ref = 'HEAD'] = gitlab.exec(url.pathname) ?? [];
    if (group !== undefined)
      return `https://gitlab.com/${group}${repository}/-/archive/${ref}/${repository}-${ref.replaceAll('/', '-')}.tar.gz`;
  }
  throw unprocessable('git_source', 'should be a repository of github.com or gitlab.com, or an archive');
}
