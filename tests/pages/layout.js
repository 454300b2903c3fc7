() => {
  const problems = [];
  if (document.documentElement.scrollWidth > window.innerWidth) {
      const wide = [...document.body.querySelectorAll('*')].find((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, .visually-hidden'));
      problems.push(`scrolls sideways: ${wide ? wide.outerHTML.slice(0, 120) : '?'}`);
  }
  const inline = document.querySelector('[style], [onclick], [onchange], [onsubmit]');
  if (inline) problems.push(`inline style or handler: ${inline.outerHTML.slice(0, 120)}`);
  if (document.querySelectorAll('h1').length !== 1) problems.push(`${document.querySelectorAll('h1').length} h1`);
  if (!document.title.trim() || document.title.startsWith('·')) problems.push('no title');
  for (const link of document.querySelectorAll('a[href=""], a[href="#"], a:not([href])')) problems.push(`dead link: ${link.outerHTML.slice(0, 120)}`);
  for (const target of document.querySelectorAll('a.button, button.button, .icon-button, .bar li a, .chips a, input.input, select.input')) {
      const box = target.getBoundingClientRect();
      if (box.height && box.height < (target.closest('.chips') ? 40 : 36)) problems.push(`small target (${box.height}px): ${target.outerHTML.slice(0, 100)}`);
  }
  return problems;
}
