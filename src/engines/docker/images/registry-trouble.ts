/**
 * What the daemon says when a registry does not give an image, in words for whoever named it. Only the kind of trouble is told: the
 * daemon's own text may hold addresses, answers of other servers and names of users. Pure.
 */
import { type CanonicalImage, imageText } from '../../../core/images/canonical-image.ts';
import { ImageUnavailable } from '../../../core/ports/images.ts';

export interface Trouble {
  /** Of the daemon's answer; 0: within an answer that began well. */
  readonly status: number;
  readonly message: string;
  readonly image: CanonicalImage;
  /** Whether it was asked with credentials. */
  readonly signedIn: boolean;
}

type Words = (trouble: Trouble) => string;

const how = 'the operator sets them with "berth registries set"';

/** The first form that fits. The texts are those of dockerd 20.10 to 28 and of the errors of the distribution API (OCI, "Error Codes"). */
const kinds: readonly (readonly [form: RegExp, code: ImageUnavailable['code'], says: Words])[] = [
  [
    /toomanyrequests|too many requests|rate limit/i,
    'refused',
    ({ image, signedIn }) =>
      `the registry ${image.host} gives no more images for now, too many were asked for: ${signedIn ? 'wait' : `wait, or let the team sign in to it (${how})`}`,
  ],
  [
    /no matching manifest|no match for platform|image operating system|does not match the (?:specified|host) platform/i,
    'refused',
    ({ image }) => notMadeFor(image).message,
  ],
  [
    /no space left on device|disk quota exceeded/i,
    'refused',
    ({ image }) => `there is no room left on the node for the image ${imageText(image)}`,
  ],
  [
    /HTTP response to HTTPS client|x509|certificate|tls: /i,
    'unreachable',
    ({ image }) =>
      `the Docker daemon does not trust the registry ${image.host}: one over plain HTTP must be in the daemon's insecure-registries, the CA of one with a certificate of its own in /etc/docker/certs.d/${image.host}`,
  ],
  [
    /unauthorized|no basic auth|authentication required|denied|forbidden|incorrect username|\b40[13]\b/i,
    'unauthorized',
    ({ image, signedIn }) =>
      signedIn
        ? `the registry ${image.host} does not give ${imageText(image)} with these credentials: check them, and the image's name (${how})`
        : `the registry ${image.host} does not give ${imageText(image)} to strangers: check its name, or give the team credentials for it (${how})`,
  ],
  [
    /not found|manifest unknown|name unknown|does not exist|\b404\b/i,
    'not-found',
    ({ image }) => `the registry ${image.host} has no image ${imageText(image)}: check its name and tag`,
  ],
  [
    /dial tcp|no such host|connection re(?:fused|set)|time(?:d )?out|timeout|unreachable|no route|EOF|canceled/i,
    'unreachable',
    ({ image }) => `the registry ${image.host} does not answer: check the name of the image, or try again later`,
  ],
];

export function troubleWith(trouble: Trouble): ImageUnavailable {
  const { image, status } = trouble;
  // No registry decides which images a daemon can be asked for in words of its own: a status that is clear goes before them.
  const text = `${[401, 403, 404].includes(status) ? `${status} ` : ''}${trouble.message}`;
  const found = kinds.find(([form]) => form.test(text));
  if (found === undefined)
    return new ImageUnavailable(
      'unreachable',
      `the registry ${image.host} answers in a way that the daemon does not understand`,
    );
  const [, code, says] = found;
  return new ImageUnavailable(code, says(trouble));
}

export const tooSlow = (image: CanonicalImage): ImageUnavailable =>
  new ImageUnavailable(
    'unreachable',
    `the registry ${image.host} does not give ${imageText(image)} in time: try again later`,
  );

export const notMadeFor = (image: CanonicalImage): ImageUnavailable =>
  new ImageUnavailable(
    'refused',
    `the image ${imageText(image)} is not made for the kind of machine that apps run on here`,
  );
