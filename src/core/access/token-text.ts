import { hash } from 'node:crypto';

/** SHA-256 of a token's text as hex: what is stored and looked up. */
export const hashToken = (text: string): string => hash('sha256', text, 'hex');
