--- `:checkhealth gatewatch`

local M = {}

function M.check()
  local health = vim.health
  health.start('gatewatch')

  if vim.fn.has('nvim-0.11') == 1 then
    health.ok('Neovim ' .. tostring(vim.version()) .. ': the server starts by vim.lsp.enable()')
  elseif vim.fn.has('nvim-0.10') == 1 then
    health.ok('Neovim ' .. tostring(vim.version()) .. ': the server starts by vim.lsp.start()')
  else
    health.error('Neovim 0.10 or later is needed')
    return
  end

  local command = require('gatewatch').options.cmd[1]
  local program = vim.fn.exepath(command)
  if program == '' then
    health.error('`' .. command .. '` is not found', {
      'Install it: cargo install --path server/gatewatch',
      "Or name it: require('gatewatch').setup({ cmd = { '/path/to/gatewatch', 'lsp' } })",
    })
    return
  end
  local said = vim.system({ program, '--version' }, { text = true }):wait(5000)
  if said.code == 0 then
    health.ok(vim.trim(said.stdout) .. ' at `' .. program .. '`')
  else
    health.error('`' .. program .. ' --version` fails: ' .. vim.trim(said.stderr or ''))
  end

  local clients = vim.lsp.get_clients({ name = 'gatewatch' })
  if #clients == 0 then
    health.warn('no client is attached', {
      "Open a Python, TypeScript, JavaScript or Rust file after require('gatewatch').setup()",
      'See `:help vim.lsp.log` for why a server does not start',
    })
    return
  end
  for _, client in ipairs(clients) do
    local root = client.root_dir or '(no folder)'
    -- Neovim 0.10 does not keep what the server said of itself.
    local version = client.server_info and (' ' .. client.server_info.version) or ''
    local buffers = vim.tbl_count(client.attached_buffers)
    health.ok(('client %d: server%s, %d buffer(s), folder `%s`'):format(client.id, version, buffers, root))
  end
end

return M
