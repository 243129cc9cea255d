-- ft_local for LuaJIT, without a compiler: the FFI reads the C header.
--
-- FT_LOCAL_HEADER names the header if it is not where `make install` puts it.

local ffi = require "ffi"

local header = os.getenv("FT_LOCAL_HEADER") or "/usr/local/include/ft_local.h"

-- The FFI has no preprocessor, and needs none of what the header uses it for.
local function without_directives(text)
    return (text:gsub("\\\n", " ")
        :gsub("#ifdef __cplusplus.-\n#endif[^\n]*", "")
        :gsub("static inline.-\n}", "")
        :gsub("\n#[^\n]*", "")
        :gsub("FT_LOCAL_MUST_USE", ""))
end

local file, problem = io.open(header)
if not file then error(problem .. "; set FT_LOCAL_HEADER to where ft_local.h is", 0) end
local text = file:read("*a")
file:close()
ffi.cdef(without_directives(text))
local MAX_SIZE = tonumber(text:match("#define FT_LOCAL_BATCH_MAX_SIZE (%d+)"))
local lib = ffi.load("ft_local")

-- Results are numbers to the library: places in the `objects` of their batch, where the collector
-- sees them. A batch is a number too, so that two callbacks, of which LuaJIT has only some hundred,
-- do for all batches.
local batches = setmetatable({}, {__mode = "v"})
local last_batch = 0

local function number_of(pointer) return tonumber(ffi.cast("intptr_t", pointer)) end

local host, source = ffi.new("ft_local_host"), ffi.new("ft_local_source")
host.struct_size, source.struct_size = ffi.sizeof(host), ffi.sizeof(source)

-- Returns whether the source has ended.
local function make_many(batch, out, capacity, produced)
    for index = 0, capacity - 1 do
        local object = batch.source()
        if object == nil then return true end
        batch.last = batch.last + 1
        batch.objects[batch.last] = object
        out[index] = ffi.cast("void *", batch.last)
        produced[0] = index + 1
    end
end

-- An error must not leave a callback. What was counted before it is kept.
function source.fill(ctx, out, capacity, produced)
    local batch = batches[number_of(ctx)]
    local ok, outcome = pcall(make_many, batch, out, tonumber(capacity), produced)
    if not ok then
        batch.problem = outcome
        return 1
    end
    return outcome and lib.FT_LOCAL_ERR_END or 0
end

-- For a batch that was collected there is nothing to do: its objects went with it.
function host.release(ctx, handle)
    local batch = batches[number_of(ctx)]
    if batch then batch.objects[number_of(handle)] = nil end
end

local OWN_WORDS = {
    [lib.FT_LOCAL_ERR_REENTRANT] = "the source loads from its own batch, and nothing is ready",
}

local function check(status)
    if status == lib.FT_LOCAL_OK then return end
    local text = status == lib.FT_LOCAL_ERR_ARGUMENT and lib.ft_local_last_error()
        or lib.ft_local_status_text(status)
    error(OWN_WORDS[status] or ffi.string(text), 3)
end

local Batch = {}
Batch.__index = Batch

-- What a method is called with need not be a batch.
local function check_batch(batch)
    if getmetatable(batch) ~= Batch then
        error("batch expected, got a " .. type(batch) .. "; call methods with a colon", 3)
    end
end

-- The status, and the next result if that is OK.
local function take(batch, handle)
    local out = ffi.new("void *[1]")
    batch.loads = batch.loads + 1
    local status = lib.ft_local_batch_load(handle, out)
    batch.loads = batch.loads - 1
    if status > 0 then error(batch.problem, 0) end
    if status ~= lib.FT_LOCAL_OK then return status end
    local place = number_of(out[0])
    local object = batch.objects[place]
    batch.objects[place] = nil
    return status, object
end

-- The next result. An error of the source comes out of the load that ran it.
function Batch:load()
    check_batch(self)
    local status, object = take(self, self.handle or error("the batch is closed", 2))
    check(status)
    return object
end

-- For the generic `for`: loads until the source has ended or the batch is closed.
function Batch:results()
    check_batch(self)
    return function()
        if not self.handle then return nil end
        local status, object = take(self, self.handle)
        if status ~= lib.FT_LOCAL_ERR_END then check(status) end
        return object
    end
end

-- How many results are ready.
function Batch:length()
    check_batch(self)
    return tonumber(lib.ft_local_batch_len(self.handle or error("the batch is closed", 2)))
end

-- Releases what nobody loaded. Closing twice does nothing.
function Batch:close()
    check_batch(self)
    if self.loads > 0 then error("the batch is in use: its own source cannot close it", 2) end
    local handle = self.handle
    self.handle = nil
    if handle then lib.ft_local_batch_free(ffi.gc(handle, nil)) end
end

-- A compiled trace cannot be called back.
jit.off(take)
jit.off(Batch.close)

-- A batch that calls `make` for up to `size` results whenever it has none, until it returns nil.
local function new(size, make)
    if type(size) ~= "number" then error("size must be a number, got a " .. type(size), 2) end
    if not (size >= 1 and size <= MAX_SIZE and size % 1 == 0) then
        error(("size must be an integer from 1 to %d, got %s")
            :format(MAX_SIZE, size), 2)
    end
    if type(make) ~= "function" then
        error("source must be a function, got a " .. type(make), 2)
    end
    last_batch = last_batch + 1
    host.ctx = ffi.cast("void *", last_batch)
    source.ctx = host.ctx
    local out = ffi.new("ft_local_batch *[1]")
    check(lib.ft_local_batch_new(host, source, size, out))
    local batch = {source = make, objects = {}, last = 0, loads = 0}
    batch.handle = ffi.gc(out[0], lib.ft_local_batch_free)
    batches[last_batch] = batch
    return setmetatable(batch, Batch)
end

return {batch = new}
