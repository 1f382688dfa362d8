/** The environment variables of Docker's links, which apps made for them read. Source: Docker, "Legacy container links". Pure. */

export interface LinkEnd {
  /** A lower-case host label. */
  readonly name: string;
  /** The port as the link's maker declared it: part of the variables' names. */
  readonly port: number;
  /** Where it is really reached. */
  readonly at: { readonly host: string; readonly port: number };
}

/** The variables of all links of an app; of a name with several ports, the lowest one is its main port. */
export function linkVariables(appHandle: string, links: readonly LinkEnd[]): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const { name, port, at } of [...links].sort((a, b) => a.port - b.port)) {
    const prefix = name.toUpperCase().replaceAll('-', '_');
    const url = `tcp://${at.host}:${at.port}`;
    variables[`${prefix}_PORT`] ??= url;
    variables[`${prefix}_NAME`] ??= `/${appHandle}/${name}`;
    variables[`${prefix}_PORT_${port}_TCP`] = url;
    variables[`${prefix}_PORT_${port}_TCP_ADDR`] = at.host;
    variables[`${prefix}_PORT_${port}_TCP_PORT`] = String(at.port);
    variables[`${prefix}_PORT_${port}_TCP_PROTO`] = 'tcp';
  }
  return variables;
}
