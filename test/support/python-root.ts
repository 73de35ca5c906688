// The file tree of a Debian image with Python.
import { debianRoot } from './debian-root.ts';

export function pythonRoot(): { directory: string } | { missing: string } {
  return debianRoot({ name: 'bookworm-python', suite: 'bookworm', packages: ['python3'], proof: 'usr/bin/python3' });
}
