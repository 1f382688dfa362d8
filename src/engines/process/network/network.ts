/** What an instance is told of the network that it runs in. */
export interface Network {
  /** Name under /run/netns. */
  readonly namespace: string;
  /** Reached from the host and by the space's instances among themselves. */
  readonly address: string;
  /** The host as the network sees it. */
  readonly gateway: string;
  /** The host's end. */
  readonly interface: string;
}
