/** Version of the reference client whose behaviour this one has: what scripts and monitoring compare. */
export const COMPATIBLE_VERSION = '2.12.0';
