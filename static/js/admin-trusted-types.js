// Staff pages only. Django admin's jQuery writes HTML it made itself; this policy lets plain markup pass and refuses
// everything that could run: script elements, on… attributes, javascript: addresses, frames, objects and embedded documents.
(() => {
  if (!window.trustedTypes) return;
  const unsafe = /<\s*(script|iframe|object|embed|base|link|meta|form[^>]+action|svg[^>]*\son|math)\b|[\s"'\/]on[a-z]+\s*=|(javascript|vbscript)\s*:|data\s*:\s*text\/html|srcdoc\s*=/i;
  // Entities and invisible characters could hide any of the above.
  const plain = (html) => html.replace(/[\u0000-\u001f]+/g, (found) => (/[\t\n\r]/.test(found) ? " " : "")).replace(/&(#x?[0-9a-f]+|colon|tab|newline|lpar);?/gi, " ");
  trustedTypes.createPolicy("default", {
    createHTML(html) {
      if (unsafe.test(html) || unsafe.test(plain(html))) {
        console.error("Refused markup that could run.");
        return "";
      }
      return html;
    },
  });
})();
