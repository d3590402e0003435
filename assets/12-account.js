// The account's menu: signing out, and closing it by Escape or a click elsewhere.
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge) return;
  document.addEventListener("click", async (event) => {
    const menu = document.getElementById("account");
    if (!menu) return;
    if (event.target.closest("#sign-out")) {
      await wangge.send("DELETE", "/api/session").catch(() => {});
      location.assign(`/sign-in${wangge.config.parameters.lang ? `?lang=${wangge.config.language}` : ""}`);
    } else if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const menu = document.getElementById("account");
    if (event.key === "Escape" && menu?.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
})();
