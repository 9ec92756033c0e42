-- Neovim 0.11 and later read this file by themselves: `vim.lsp.enable('gatewatch')` is enough,
-- with or without `require('gatewatch').setup()`.
return require('gatewatch').config()
