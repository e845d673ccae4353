-- Sends the cookies of a file in turn, one per line, and reports as JSON. Usage: wrk -s wrk.lua URL -- cookies.txt
function init(args)
  local cookies = {}
  for line in io.lines(args[1]) do table.insert(cookies, line) end
  if #cookies == 1 then
    -- Without a request function wrk sends the same bytes again and again, at no cost.
    wrk.headers["Cookie"] = cookies[1]
    return
  end
  local requests = {}
  for i, cookie in ipairs(cookies) do requests[i] = wrk.format(nil, nil, { Host = wrk.headers["Host"], Cookie = cookie }) end
  local at = 0
  request = function()
    at = at % #requests + 1
    return requests[at]
  end
end

function done(summary)
  local e = summary.errors
  print(string.format('{"requests":%d,"seconds":%f,"failed":%d}', summary.requests, summary.duration / 1e6,
    e.connect + e.read + e.write + e.status + e.timeout))
end
