import { randomBytes } from 'node:crypto';

/** By the prefix a key is told from any other bearer token, by us and by the scanners that look for leaked ones. */
export const API_KEY_PREFIX = 'slu_';
const KEY_BYTES = 32;
/** 32 bytes as base64url without padding (RFC 4648 §5). */
const API_KEY = /^slu_[A-Za-z0-9_-]{43}$/;

const PREVIEW_HEAD = 8;
const PREVIEW_TAIL = 6;

/** A new key of 256 random bits. */
export function newApiKey(): string {
  return API_KEY_PREFIX + randomBytes(KEY_BYTES).toString('base64url');
}

/** Whether a text has the form of {@link newApiKey}; any other is no key, which needs no look-up. */
export function isApiKey(text: string): boolean {
  return API_KEY.test(text);
}

/** Enough of a key to recognise it by; some 200 of its bits remain unknown. */
export function previewOf(key: string): string {
  return `${key.slice(0, PREVIEW_HEAD)}...${key.slice(-PREVIEW_TAIL)}`;
}
