/**
 * Images of a few megabytes that answer HTTP, made of this machine's Perl, and the way into a registry for them: through a daemon, as
 * people push theirs.
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pack } from 'tar-stream';
import { canonicalImage } from '../../src/core/images/canonical-image.ts';
import type { RegistryCredentials } from '../../src/core/ports/images.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { DockerApi } from '../../src/engines/docker/api/docker-api.ts';
import { endpointOf } from '../../src/engines/docker/api/endpoint.ts';
import { registryAuth } from '../../src/engines/docker/images/registry-auth.ts';
import { transferEnd } from '../../src/engines/docker/images/transfer-progress.ts';
import { registryUser, type TestRegistry } from './docker-registry.ts';
import { command } from './system-command.ts';

export const registryCredentials: RegistryCredentials = {
  username: registryUser.username,
  password: new Secret(registryUser.password),
};

export const apiOf = (host: string): DockerApi => new DockerApi(endpointOf(host, null));

/** Answers every request with its version, its arguments and its user; listens on $PORT, or 8080. */
const server = `use strict; use IO::Socket::INET;
my $port = $ENV{PORT} || 8080;
my $door = IO::Socket::INET->new(LocalAddr => '0.0.0.0', LocalPort => $port, Listen => 64, ReuseAddr => 1) or die "no door";
$SIG{TERM} = sub { exit 0 }; $SIG{PIPE} = "IGNORE"; $| = 1; print "listening on $port\\n";
while (1) {
  my $guest = $door->accept or next;
  while (my $line = <$guest>) { last if $line =~ /^\\r?$/ }
  open(my $file, '<', '/version'); my $version = <$file>; close $file;
  my $text = "version $version args @ARGV user $>";
  print $guest "HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: ".length($text)."\\r\\n\\r\\n$text";
  close $guest;
}
`;

export interface SmallImage {
  readonly version: string;
  /** Lines of a Dockerfile. Default: the server with the argument `hello`, on port 8080. */
  readonly changes?: readonly string[];
}

const usual = ['ENTRYPOINT ["/usr/bin/perl", "/server.pl"]', 'CMD ["hello"]', 'EXPOSE 8080/tcp', 'EXPOSE 53/udp'];

/** The daemon has it under this name afterwards. */
export async function makeImage(api: DockerApi, name: string, { version, changes = usual }: SmallImage): Promise<void> {
  const { tag, ...image } = canonicalImage(name);
  await api.call('POST', '/images/create', {
    query: {
      fromSrc: '-',
      repo: `${image.host}/${image.repository}`,
      tag: tag ?? 'latest',
      changes: changes.join('\n'),
    },
    content: { type: 'application/x-tar', bytes: await fileSystem(version) },
  });
}

/** Makes an image, pushes it as `<registry>/<name>` and forgets it on the daemon; gives its digest there. */
export async function publish(
  api: DockerApi,
  registry: TestRegistry,
  name: string,
  image: SmallImage,
): Promise<string> {
  const reference = `${registry.host}/${name}`;
  await makeImage(api, reference, image);
  const { host, repository, tag } = canonicalImage(reference);
  const answer = await api.stream('POST', `/images/${host}/${repository}/push`, {
    query: { tag: tag ?? 'latest' },
    headers: registryAuth(host, registryCredentials),
  });
  const { error, digest } = await transferEnd(answer);
  if (digest === null) throw new Error(`${reference} was not pushed: ${error}`);
  await api.call('DELETE', `/images/${reference}`, { query: { force: true } });
  return digest;
}

async function fileSystem(version: string): Promise<Buffer> {
  const libraries = [...(await command('ldd', '/usr/bin/perl')).matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path);
  const modules = (await command('/usr/bin/perl', '-e', 'print join "\\n", @INC'))
    .split('\n')
    .filter((path) => /perl-base/.test(path));
  const paths = new Set<string>();
  for (const path of ['/usr/bin/perl', ...libraries, ...modules]) addWithLinks(paths, path);
  const tar = pack();
  const chunks: Uint8Array[] = [];
  const reading = (async () => {
    for await (const chunk of tar) chunks.push(chunk as Uint8Array);
  })();
  for (const path of paths) {
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) tar.entry({ name: path.slice(1), type: 'symlink', linkname: readlinkSync(path) });
    else tar.entry({ name: path.slice(1), mode: 0o755 }, readFileSync(path));
  }
  tar.entry({ name: 'server.pl' }, server);
  tar.entry({ name: 'version' }, version);
  tar.entry({ name: 'tmp', type: 'directory', mode: 0o1777 });
  tar.finalize();
  await reading;
  return Buffer.concat(chunks);
}

/** A file, or all below a folder, at the path that its libraries and itself are asked for by, and where that leads. */
function addWithLinks(paths: Set<string>, path: string): void {
  const stats = lstatSync(path);
  if (stats.isDirectory()) {
    for (const name of readdirSync(path)) addWithLinks(paths, join(path, name));
    return;
  }
  const folder = realpathSync(dirname(path));
  paths.add(join(folder, path.slice(path.lastIndexOf('/') + 1)));
  // /lib and /lib64 are links into /usr.
  for (const top of ['/lib', '/lib64', '/bin'])
    if (path.startsWith(`${top}/`) && lstatSync(top).isSymbolicLink()) paths.add(top);
  if (stats.isSymbolicLink()) addWithLinks(paths, realpathSync(path));
}
