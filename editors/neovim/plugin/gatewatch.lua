-- Loaded at start. Nothing runs before `require('gatewatch').setup()` or `vim.lsp.enable('gatewatch')`.
if vim.g.loaded_gatewatch then
  return
end
vim.g.loaded_gatewatch = true

if vim.fn.has('nvim-0.10') == 0 then
  vim.notify('gatewatch needs Neovim 0.10 or later', vim.log.levels.WARN)
  return
end

vim.api.nvim_create_user_command('GatewatchRestart', function()
  require('gatewatch').restart()
end, { desc = 'Read the workspace and its baseline anew' })
