--- Gatewatch in Neovim: starts the language server; everything else is Neovim's own LSP client.

local M = {}

M.name = 'gatewatch'

--- What can be set; see |gatewatch-setup|.
---@class gatewatch.Options
---@field cmd? string[] the server and its arguments
---@field filetypes? string[] where it starts
---@field root_markers? string[] what marks the root of a workspace, most telling first
---@field settings? table baseline, exclude, severity, codeLens, inlayHints
---@field on_attach? fun(client: vim.lsp.Client, buffer: integer)
---@field capabilities? table what the client can do, if not Neovim's own
local defaults = {
  cmd = { 'gatewatch', 'lsp' },
  filetypes = { 'python', 'typescript', 'typescriptreact', 'javascript', 'javascriptreact', 'rust' },
  root_markers = { 'gatewatch.toml', '.git' },
  settings = {},
}

---@type gatewatch.Options
M.options = vim.deepcopy(defaults)

--- The configuration for `vim.lsp.config` (0.11) or `vim.lsp.start` (0.10).
---@return vim.lsp.ClientConfig
function M.config()
  local options = M.options
  -- The server takes its settings bare, or below their section.
  local settings = vim.tbl_isempty(options.settings) and vim.empty_dict() or options.settings
  return {
    name = M.name,
    cmd = options.cmd,
    filetypes = options.filetypes,
    root_markers = options.root_markers,
    -- Without a root there is nothing to compare with, and the folder of a stray file may be anything.
    workspace_required = true,
    init_options = settings,
    settings = { gatewatch = settings },
    on_attach = options.on_attach,
    capabilities = options.capabilities,
  }
end

--- Starts the server for a buffer, in Neovim 0.10.
local function start(buffer)
  local file = vim.api.nvim_buf_get_name(buffer)
  if file == '' or vim.bo[buffer].buftype ~= '' then
    return
  end
  for _, marker in ipairs(M.options.root_markers) do
    local root = vim.fs.root(file, marker)
    if root then
      local config = M.config()
      config.filetypes, config.root_markers, config.workspace_required = nil, nil, nil
      config.root_dir = root
      vim.lsp.start(config, { bufnr = buffer })
      return
    end
  end
end

--- Sets options and starts the server in buffers of its file types.
---@param options? gatewatch.Options
function M.setup(options)
  M.options = vim.tbl_extend('force', vim.deepcopy(defaults), options or {})
  if vim.fn.has('nvim-0.11') == 1 then
    vim.lsp.config(M.name, M.config())
    vim.lsp.enable(M.name)
    return
  end
  local group = vim.api.nvim_create_augroup('gatewatch', { clear = true })
  vim.api.nvim_create_autocmd('FileType', {
    group = group,
    pattern = M.options.filetypes,
    callback = function(event)
      start(event.buf)
    end,
  })
  -- Those that are open already.
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) and vim.tbl_contains(M.options.filetypes, vim.bo[buffer].filetype) then
      start(buffer)
    end
  end
end

--- Asks every running server to read its workspace and its baseline anew.
function M.restart()
  local clients = vim.lsp.get_clients({ name = M.name })
  if #clients == 0 then
    vim.notify('gatewatch is not running', vim.log.levels.WARN)
  end
  for _, client in ipairs(clients) do
    local params = { command = 'gatewatch.restartAnalysis' }
    if vim.fn.has('nvim-0.11') == 1 then
      client:request('workspace/executeCommand', params)
    else
      client.request('workspace/executeCommand', params)
    end
  end
end

return M
