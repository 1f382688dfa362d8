/** The key of a link's target, the same in an instance's spec and in the engine's table of links. */
export const linkTarget = (appId: string, processType: string): string => `${appId}/${processType}`;
