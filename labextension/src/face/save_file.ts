// A file for whoever looks, by the browser's own way of saving.

/** @param address - `data:` or `blob:`; the browser may ask where to, or refuse in a sandbox without saying so */
export function saveAddress(name: string, address: string): void {
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.hidden = true;
  document.body.append(link);
  link.click();
  link.remove();
}

/** @param content - in base64 */
export function saveFile(name: string, mime: string, content: string): void {
  const bytes = Uint8Array.from(atob(content), sign => sign.charCodeAt(0));
  const address = URL.createObjectURL(new Blob([bytes], { type: mime }));
  saveAddress(name, address);
  // The download has begun by then.
  setTimeout(() => { URL.revokeObjectURL(address); }, 60_000);
}
