// Answers src/launcher/image/oci.sh, as assignments for sh: `manifest FILE` where the parts of an image are,
// `configuration FILE` what its OCI configuration says.
import { imageParts } from '../images/hub.ts';
import { readOciConfiguration } from '../images/oci-configuration.ts';

export async function main([question, file]: string[]): Promise<number> {
  const facts = question === 'manifest' ? parts(file) : configuration(file);
  process.stdout.write(
    Object.entries(facts)
      .map(([name, value]) => `${name}=${quoted(value)}\n`)
      .join(''),
  );
  return 0;
}

function parts(file: string): Record<string, string> {
  const { tree = '', layers = [], configuration: oci = '' } = imageParts(file);
  return { cx_image_tree: tree, cx_image_layers: layers.join(':'), cx_oci: oci };
}

/** Lists are words in quotes, for eval. */
function configuration(file: string): Record<string, string> {
  const { env, command } = readOciConfiguration(file);
  return { cx_oci_variables: env.map(quoted).join(' '), cx_oci_command: command.map(quoted).join(' ') };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
