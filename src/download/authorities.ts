// Certificate authorities for https servers, besides those that Node brings (client.md §7.10).
import { readdirSync, readFileSync } from 'node:fs';

const GRID_DIRECTORY = '/etc/grid-security/certificates';
/** Hashed names are links to the others. */
const CERTIFICATE_FILE = /\.(pem|crt)$/;

/**
 * PEM texts of X509_CERT_DIR (or the grid's usual directory) and X509_CERT_BUNDLE, and of the system where
 * CVMFS_USE_SSL_SYSTEM_CA asks for them. What cannot be read is left out: then the server is not trusted.
 */
export function readAuthorities(environment: NodeJS.ProcessEnv, ofSystem = false): string[] {
  const directory = environment.X509_CERT_DIR || GRID_DIRECTORY;
  const files = namesIn(directory).filter((name) => CERTIFICATE_FILE.test(name));
  const paths = files.map((name) => `${directory}/${name}`);
  if (environment.X509_CERT_BUNDLE) paths.push(environment.X509_CERT_BUNDLE);
  const texts = paths.map(readText).filter((text) => text.includes('-----BEGIN CERTIFICATE-----'));
  return ofSystem ? [...texts, ...process.getBuiltinModule('node:tls').getCACertificates('system')] : texts;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
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
