/** The switches of this API. Which of them has an effect here is said in docs/dialects/akkeris.md. */
import { derivedId } from './derived-id.ts';

export interface Feature {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly state: 'public' | 'beta' | 'deprecated';
}

const feature = (
  name: string,
  displayName: string,
  description: string,
  id: string = derivedId(name),
  state: Feature['state'] = 'public',
): Feature => ({ id, name, displayName, description, state });

export const features: readonly Feature[] = [
  feature(
    'auto-release',
    'Auto release builds',
    'When the application receives a new build whether or not it should automatically release the build.',
    '8e7ec5d2-c410-4d04-8d5e-db7746c40b44',
  ),
  feature(
    'preview',
    'Preview Apps',
    'When a pull request is received, automatically create a preview site and applicaiton (web dyno only) with the same config as the development application.',
    '1e4ec5d3-c410-2d04-8d5e-d22346de0112',
  ),
  feature(
    'preview-sites',
    'Preview Sites',
    'When a preview app is created, also create preview sites for the sites of the application.',
    '2e4ec5fa-e410-2d04-8d5e-d22346dedb77',
  ),
  feature(
    'preview-addons',
    'Preview Addons',
    'When a preview app is created, give it addons of its own instead of attaching those of the application.',
    '2e8ec5fa-e410-2d04-8d5e-d22346dedb78',
  ),
  feature(
    'preview-dynos',
    'Preview Dynos',
    'When a preview app is created, copy all dyno types and not only web.',
    '2e8ec5fa-e410-2d04-8d5e-d22346dedb79',
  ),
  feature('service-mesh', 'Service Mesh', 'Run the application within the service mesh.', undefined, 'beta'),
  feature('http2-end-to-end', 'HTTP/2 end to end', 'Speak HTTP/2 with the application itself.'),
  feature('http2', 'HTTP/2', 'Speak HTTP/2 with clients.', '5e4ec5d4-ce10-2f04-8d5e-d22346de3122', 'deprecated'),
  feature('csp-javascript', 'CSP JavaScript', 'Restrict scripts by a content security policy.'),
  feature('csp-media', 'CSP Media', 'Restrict media by a content security policy.'),
  feature('csp-unsafe', 'CSP Unsafe', 'Refuse unsafe inline content by a content security policy.'),
  feature('csp-embedded', 'CSP Embedded', 'Refuse to be embedded by a content security policy.'),
  feature('container-ports', 'Container Ports', 'Let the application listen on more than one port.'),
];
