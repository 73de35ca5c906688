export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly code: 'MANIFEST' | 'CONFIGURATION' | 'MISSING_LAYER';

  constructor(code: ImageError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
