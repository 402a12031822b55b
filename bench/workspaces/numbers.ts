/** Numbers that look random and are the same in every run and in every process. */

/** From 0 up to `below`, for the `index`th of what `salt` is about. */
export function pick(salt: string, index: number, below: number): number {
  return Math.floor((mixed(salt, index) / 2 ** 32) * below);
}

/** A text of so many letters and digits, as kcp names logical clusters. */
export function code(salt: string, index: number, length: number): string {
  let text = '';
  for (let part = 0; text.length < length; part += 1) text += mixed(`${salt}/${part}`, index).toString(36).padStart(7, '0');
  return text.slice(0, length);
}

/** FNV-1a, then the last steps of MurmurHash3: neighbours have nothing in common. */
function mixed(salt: string, index: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < salt.length; at += 1) hash = Math.imul(hash ^ salt.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ index, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
