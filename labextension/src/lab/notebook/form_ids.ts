// Ids of the form's inputs; there is one form at a time.

export function idOf(field: string): string {
  return `jp-gcs-lab-form-${field}`;
}
