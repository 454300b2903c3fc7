// The browser knows the time zone that Accept-Language can only hint at; the server checks the name against its list.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const input of document.querySelectorAll("[data-time-zone]")) if (zone) input.value = zone;
