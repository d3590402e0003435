// The look of a table, for every screen that has one: ag-grid's own theme, in the colours and sizes of tokens.css.
(() => {
  "use strict";
  const grids = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  const LOOK = {
    accentColor: "var(--accent)",
    backgroundColor: "var(--bg-1)",
    foregroundColor: "var(--tx-1)",
    borderColor: "var(--line-1)",
    headerBackgroundColor: "var(--bg-1)",
    headerTextColor: "var(--tx-2)",
    headerFontWeight: 400,
    headerFontSize: 12,
    fontFamily: "inherit",
    fontSize: 13,
    rowHoverColor: "var(--accent-soft)",
    oddRowBackgroundColor: "var(--bg-1)",
    wrapperBorder: false,
    wrapperBorderRadius: 0,
    columnBorder: false,
    headerColumnBorder: false,
    headerColumnResizeHandleColor: "transparent",
    cellHorizontalPadding: 8,
    spacing: 6,
  };
  grids.wanggeGridTheme = (agGrid) => agGrid.themeQuartz.withParams(LOOK);
  // A name that a spreadsheet would take for a formula is text all the same (names come from imported files).
  grids.wanggeCsvCell = ({ value, column }) =>
    ["name", "category", "channel"].includes(column.getColId()) && /^[=+\-@\t\r]/.test(value ?? "") ? `'${value}` : value;
  // Where a row can be chosen, hovering must not look as if it were.
  const CHOSEN = { rowHoverColor: "var(--bg-2)", selectedRowBackgroundColor: "var(--accent-soft)", cellHorizontalPadding: 10 };
  grids.wanggeChoiceTheme = (agGrid) => agGrid.themeQuartz.withParams({ ...LOOK, ...CHOSEN });
})();
