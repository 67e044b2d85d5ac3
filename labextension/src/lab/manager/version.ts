// The version of the front end, which the build puts in from package.json.

declare const GCS_LAB_VERSION: string | undefined;

/** '' where no build has been (unit tests). */
export const PAGE_VERSION = typeof GCS_LAB_VERSION === 'string' ? GCS_LAB_VERSION : '';
