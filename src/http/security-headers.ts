/** What every answer tells browsers: nothing but this server's own files runs, and no other page shows or reads it. */
export const securityHeaders: Readonly<Record<string, string>> = {
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
};

/** Of JSON and pictures, which shall do nothing even where a browser opens them as a page. */
export const inertPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox";

/** @param scripts hashes of the page's own inline scripts (an import map has to be one) */
export const pagePolicy = (scripts: readonly string[]): string =>
  [
    "default-src 'none'",
    `script-src ${["'self'", ...scripts.map((hash) => `'sha256-${hash}'`)].join(" ")}`,
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "connect-src 'self'",
    "font-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
