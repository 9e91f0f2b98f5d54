-- One signal per request, each about somebody of a fixed crowd and each with an occurred_at of its own.
-- From the environment: BENCH_KEYS (file, an API key per line), BENCH_HOST, BENCH_SECOND (Unix time the first event occurred at),
-- BENCH_RESULT (file for the figures), BENCH_WALK (set: everybody in turn instead of anybody), BENCH_BATCH (signals a request, of people of
-- one workspace), BENCH_SPREAD (days back that the events are spread over; 0: they occur now).

local PEOPLE, COMPANIES = 5000, 1000   -- five people a company; the people of a company share a workspace
local MICROSECONDS = 1000000

local BODY = '{"signal_type":"custom_event","source":"segment","event_name":"user_invited_teammate","occurred_at":"%s.%06dZ",' ..
  '"identity":{"email":"person%05d@company%04d.com","company_domain":"company%04d.com","first_name":"Jane","last_name":"Doe",' ..
  '"title":"VP Engineering"},"context":{"team_size":12,"plan_tier":"free"}}'

local second = tonumber(os.getenv("BENCH_SECOND"))
local walk = os.getenv("BENCH_WALK") ~= nil
local batch = tonumber(os.getenv("BENCH_BATCH") or "1")
local spread = tonumber(os.getenv("BENCH_SPREAD") or "0")
local texts = {}   -- of the seconds that are in use
local sent = 0

local function body(n, person)
  local at = second + math.floor(n / MICROSECONDS) - (spread > 0 and math.random(0, spread) * 86400 or 0)
  local text = texts[at]
  if text == nil then
    text = os.date("!%Y-%m-%dT%H:%M:%S", at)
    texts[at] = text
  end
  local company = person % COMPANIES
  return string.format(BODY, text, n % MICROSECONDS, person, company, company)
end

-- The signals of one request; they share the workspace with the first one's person.
local function payload(n, person)
  if batch == 1 then return body(n, person) end
  local signals = {}
  for i = 1, batch do
    signals[i] = body((n - 1) * batch + i, person % 200 + 200 * math.random(0, PEOPLE / 200 - 1))
  end
  return '{"signals":[' .. table.concat(signals, ",") .. "]}"
end

-- Every body has the same length, so the head of a request depends on its key only.
local heads = {}
for key in io.lines(os.getenv("BENCH_KEYS")) do
  heads[#heads + 1] = "POST /signals" .. (batch > 1 and "/batch" or "") .. " HTTP/1.1\r\nHost: " .. os.getenv("BENCH_HOST") .. "\r\nAuthorization: Bearer " .. key ..
    "\r\nContent-Type: application/json\r\nContent-Length: " .. #payload(1, 0) .. "\r\n\r\n"
end

function init(args)
  math.randomseed(second)
end

function request()
  sent = sent + 1
  local person = walk and sent % PEOPLE or math.random(0, PEOPLE - 1)
  return heads[person % #heads + 1] .. payload(sent, person)
end

function done(summary, latency, requests)
  local errors = summary.errors
  local file = io.open(os.getenv("BENCH_RESULT"), "w")
  file:write(string.format('{"answers":%d,"microseconds":%d,"refused":%d,"broken":%d,"p50":%d,"p99":%d}', summary.requests * batch, summary.duration,
    errors.status * batch, errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50), latency:percentile(99)))
  file:close()
end
