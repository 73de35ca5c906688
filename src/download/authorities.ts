// Certificate authorities for https servers, besides those that Node brings (client.md §7.10).
import { readdirSync, readFileSync } from 'node:fs';

const GRID_DIRECTORY = '/etc/grid-security/certificates';
/** Of the system: the first that holds certificates. */
const SYSTEM_DIRECTORIES = [
  '/etc/ssl/certs',
  '/etc/pki/tls/certs',
  '/etc/ssl',
  '/etc/pki/tls',
  '/etc/pki/ca-trust/extracted/pem',
];
/** Hashed names are links to the others. */
const CERTIFICATE_FILE = /\.(pem|crt)$/;

/**
 * PEM texts of X509_CERT_DIR (or the grid's usual directory) and X509_CERT_BUNDLE, and of the system where
 * CVMFS_USE_SSL_SYSTEM_CA asks for them. What cannot be read is left out: then the server is not trusted.
 */
export function readAuthorities(environment: NodeJS.ProcessEnv, ofSystem = false): string[] {
  const paths = certificatesIn(environment.X509_CERT_DIR || GRID_DIRECTORY);
  if (environment.X509_CERT_BUNDLE) paths.push(environment.X509_CERT_BUNDLE);
  if (ofSystem) paths.push(...(SYSTEM_DIRECTORIES.map(certificatesIn).find((found) => found.length > 0) ?? []));
  const texts = new Set(paths.map(readText));
  return [...texts].filter((text) => text.includes('-----BEGIN CERTIFICATE-----'));
}

function certificatesIn(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => CERTIFICATE_FILE.test(name));
    return names.map((name) => `${directory}/${name}`);
  } catch {
    return [];
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
