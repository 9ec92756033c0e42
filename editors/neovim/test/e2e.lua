-- Drives a real Neovim, headless, against the real server, as a user would.
--
--   nvim -u NONE -i NONE -n -l e2e.lua MODE PLUGIN WORKSPACE
--
-- MODE is `setup` (require('gatewatch').setup()) or `enable` (vim.lsp.enable, Neovim 0.11 and later). PLUGIN is
-- the plugin's folder, WORKSPACE a copy of examples/shop in a repository of its own. `gatewatch` must be
-- found in PATH. The last line is `N passed, N failed`. `run.sh` does all that.

local mode, plugin, workspace = arg[1], arg[2], arg[3]
local patience = 20000 -- ms, for each wait

local passed, failed = 0, 0
local began = vim.uv.hrtime()

local function now()
  return math.floor((vim.uv.hrtime() - began) / 1e6)
end

local function check(name, ok, detail)
  if ok then
    passed = passed + 1
  else
    failed = failed + 1
  end
  io.stdout:write(('%s %6d ms  %s\n'):format(ok and 'ok  ' or 'FAIL', now(), name))
  if not ok and detail ~= nil then
    local text = type(detail) == 'string' and detail or vim.inspect(detail)
    io.stdout:write('          ' .. text:gsub('\n', '\n          ') .. '\n')
  end
  return ok
end

local function wait(predicate, ms)
  return (vim.wait(ms or patience, predicate, 5))
end

local function lines(buffer)
  return vim.api.nvim_buf_get_lines(buffer or 0, 0, -1, false)
end

--- The diagnostics of a buffer, one text each; all of them, or those with a code.
local function said(code, buffer)
  local out = {}
  for _, one in ipairs(vim.diagnostic.get(buffer or 0)) do
    if not code or one.code == code then
      out[#out + 1] = ('%d:%d %s %s'):format(one.lnum + 1, one.col + 1, tostring(one.code), one.message)
    end
  end
  return out
end

--- Puts the cursor on a text of the buffer, given as it is.
local function go(text)
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  local line, column = unpack(vim.fn.searchpos('\\V' .. vim.fn.escape(text, '\\'), 'cW'))
  assert(line > 0, 'not in the buffer: ' .. text)
  vim.api.nvim_win_set_cursor(0, { line, column - 1 })
end

local function floating()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(window).relative ~= '' then
      return window
    end
  end
end

--- What K shows.
local function hover()
  local window = floating()
  if window then
    vim.api.nvim_win_close(window, true)
  end
  vim.lsp.buf.hover()
  wait(function()
    return floating() ~= nil
  end, 500)
  window = floating()
  if not window then
    return nil
  end
  local text = table.concat(lines(vim.api.nvim_win_get_buf(window)), '\n')
  vim.api.nvim_win_close(window, true)
  return text
end

--- What the menu of code actions offers at the cursor; the one whose title has the text is applied.
local function act(text)
  local titles
  local select = vim.ui.select
  vim.ui.select = function(items, options, choose)
    titles = {}
    local chosen
    for index, item in ipairs(items) do
      titles[index] = options.format_item and options.format_item(item) or item.action.title
      if not chosen and titles[index]:find(text, 1, true) then
        chosen = index
      end
    end
    choose(chosen and items[chosen], chosen)
  end
  vim.lsp.buf.code_action()
  wait(function()
    return titles ~= nil
  end, 3000)
  vim.ui.select = select
  return titles or {}
end

local function client()
  return vim.lsp.get_clients({ name = 'gatewatch' })[1]
end

--- A request and its answer, so that the server has seen all that came before it.
local function settled(text)
  go(text)
  return hover()
end

local function open(path)
  vim.cmd('silent edit ' .. vim.fn.fnameescape(vim.fs.joinpath(workspace, path)))
end

io.stdout:write(('Neovim %s, %s\n'):format(tostring(vim.version()), mode))

-- A file type plugin may probe for script hosts otherwise.
for _, host in ipairs({ 'python3', 'node', 'ruby', 'perl' }) do
  vim.g['loaded_' .. host .. '_provider'] = 0
end
vim.o.swapfile = false
vim.o.showmode = false
-- One buffer stays loaded when another is shown.
vim.o.hidden = true
vim.opt.runtimepath:prepend(plugin)
vim.cmd('runtime! plugin/**/*.lua')
vim.cmd('filetype plugin on')

local exits = {}
vim.api.nvim_create_autocmd('LspDetach', {
  callback = function(event)
    exits[#exits + 1] = event.data.client_id
  end,
})

if mode == 'setup' then
  require('gatewatch').setup({ settings = { severity = { ['entry-point-widened'] = 'off' } } })
else
  vim.lsp.enable('gatewatch')
end

-- A file outside of any workspace starts nothing.
local stray = vim.fn.tempname() .. '.py'
vim.fn.writefile({ 'x = 1' }, stray)
vim.cmd('silent edit ' .. vim.fn.fnameescape(stray))
vim.wait(200, function()
  return client() ~= nil
end, 10)
check('a file without a root starts no server', client() == nil)

-- The server starts and says nothing about what is unchanged.
open('shop/routers/products.py')
local products = vim.api.nvim_get_current_buf()
local original = lines()
if not check('the server is attached', wait(function()
  local it = client()
  return it ~= nil and it.initialized and vim.lsp.buf_is_attached(products, it.id)
end)) then
  io.stdout:write(('%d passed, %d failed\n'):format(passed, failed))
  os.exit(1)
end
local root = vim.uv.fs_realpath(client().root_dir or '')
check('its folder is the repository', root == vim.uv.fs_realpath(workspace), root)

local text
wait(function()
  go('restock(')
  text = hover()
  return text ~= nil
end)
check(
  'hover explains the guard in front of a handler',
  text and text:find('POST /api/v1/products/{name}/restock', 1, true) and text:find('current_user', 1, true),
  text
)
check('nothing is said about a workspace without changes', #said() == 0, said())

-- A guard is deleted: the parameter looks unused.
go(', user: User = Depends')
local typed = vim.uv.hrtime()
vim.cmd('normal! d2t)')
check('the edit is the one meant', vim.api.nvim_get_current_line() == 'def restock(name: str, count: int):')
local seen = wait(function()
  return #said('authentication-removed') > 0
end)
local took = (vim.uv.hrtime() - typed) / 1e6
check(('authentication-removed is shown (%.0f ms after the edit)'):format(took), seen, said())
local finding = vim.diagnostic.get(products)[1] or {}
check('on the name of the handler', finding.lnum and vim.api.nvim_buf_get_text(
  products, finding.lnum, finding.col, finding.end_lnum, finding.end_col, {}
)[1] == 'restock', finding)
check('as an error of gatewatch', finding.severity == vim.diagnostic.severity.ERROR and finding.source == 'gatewatch', finding)
check(
  'that names the entry point and the guard it had',
  (finding.message or ''):find('POST /api/v1/products/{name}/restock', 1, true)
    and finding.message:find('`current_user` (shop/deps.py:', 1, true),
  finding.message
)
check('nothing else is said', #said() == 1, said())

go('restock(')
text = hover() or ''
check('hover explains the boundary as it is now', text:find('anybody', 1, true) and text:find('authentication%-removed'), text)

-- The guard is put back by the action that is offered.
go('restock(')
local titles = act('current_user')
check('an action puts the guard back', #titles > 0, titles)
check('the buffer is what it was', wait(function()
  return vim.deep_equal(lines(products), original)
end, 3000), lines(products))
check('the diagnostic is gone', wait(function()
  return #said() == 0
end, 3000), said())
if not vim.deep_equal(lines(products), original) then
  vim.api.nvim_buf_set_lines(products, 0, -1, false, original)
  wait(function()
    return #said() == 0
  end)
end

-- What keeps every control is silent at every step.
local noise = {}
local listener = vim.api.nvim_create_autocmd('DiagnosticChanged', {
  callback = function(event)
    for _, one in ipairs(event.data.diagnostics) do
      noise[#noise + 1] = one.message
    end
  end,
})
local function silent(name, anchor)
  settled(anchor)
  vim.wait(300, function()
    return false
  end)
  check(name, #noise == 0 and #said() == 0, noise)
  noise = {}
end

local at = vim.fn.search('\\Vdef restock(', 'cw') - 1
vim.api.nvim_buf_set_lines(products, at, at + 1, false, {
  'def restock(',
  '    name: str,',
  '    count: int,',
  '    user: User = Depends(current_user),',
  '):',
})
silent('a reformat is silent', 'restock(')
vim.cmd('silent %s/\\<restock(/add_to_stock(/')
silent('a rename is silent', 'add_to_stock(')
vim.cmd('silent normal! ggO# A comment above everything.')
silent('a comment is silent', 'add_to_stock(')
vim.api.nvim_buf_set_lines(products, -1, -1, false, { '', '' })
vim.api.nvim_win_set_cursor(0, { vim.api.nvim_buf_line_count(products), 0 })
for _, key in ipairs(vim.split('def price(name: str):', '')) do
  vim.api.nvim_feedkeys('A' .. key .. vim.keycode('<Esc>'), 'tx', false)
  vim.wait(30)
end
silent('half of a function, key by key, is silent', 'add_to_stock(')
vim.api.nvim_del_autocmd(listener)
vim.api.nvim_buf_set_lines(products, 0, -1, false, original)

-- The guard of a whole router, in another buffer.
open('shop/routers/admin.py')
local admin = vim.api.nvim_get_current_buf()
go(', dependencies=[Depends')
vim.cmd('normal! df]')
check('the guard of a router is missed', wait(function()
  return #said('authorization-removed', admin) > 0
end), said(nil, admin))
vim.cmd('silent undo')
check('undo takes that back', wait(function()
  return #said(nil, admin) == 0
end), said(nil, admin))

-- A check inside of a guard.
open('shop/deps.py')
local deps = vim.api.nvim_get_current_buf()
go('if order.owner != user.name')
vim.cmd('normal! 2dd')
check('a guard that no longer denies is told apart', wait(function()
  return #said('guard-gutted', deps) > 0
end), said(nil, deps))
vim.cmd('silent undo')
check('undo takes that back as well', wait(function()
  return #said(nil, deps) == 0
end), said(nil, deps))

-- Health, restart, end.
vim.cmd('silent! checkhealth gatewatch')
text = table.concat(lines(), '\n')
check('health names the program and its version', text:find('gatewatch %d+%.%d+%.%d+ at') ~= nil, text)
local server = vim.fn.has('nvim-0.11') == 1 and 'client %d+: server %d+%.%d+%.%d+, 3 buffer' or 'client %d+: server, 3 buffer'
check('health names the client', text:find(server) ~= nil, text)
check('health finds nothing wrong', not text:find('ERROR') and not text:find('WARNING'), text)
vim.cmd('silent! bwipeout!')

vim.api.nvim_set_current_buf(products)
vim.cmd('GatewatchRestart')
text = nil
wait(function()
  text = settled('restock(')
  return text ~= nil
end)
check('after a restart of the analysis all is as before', text and #said() == 0, said())

local last = client()
if vim.fn.has('nvim-0.11') == 1 then
  vim.lsp.enable('gatewatch', false)
  last:stop()
else
  last.stop()
end
local gone = wait(function()
  return vim.lsp.get_client_by_id(last.id) == nil
end, 5000)
check('the server stops when asked', gone)
check('the buffers were detached', #exits > 0)

if failed > 0 then
  local log = vim.fs.joinpath(vim.fn.stdpath('state'), 'lsp.log')
  if vim.uv.fs_stat(log) then
    io.stdout:write('the end of the log:\n' .. table.concat(vim.fn.readfile(log, '', -20), '\n') .. '\n')
  end
end
io.stdout:write(('%d passed, %d failed\n'):format(passed, failed))
os.exit(failed == 0 and 0 or 1)
