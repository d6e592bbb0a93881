local function step(a, i)
  if a > 1000 then return a - i else return a + i end
end
local a = 0
for i = 1, 300000 do a = step(a, i) end
print(a)
local squares, even = {}, {}
for x = 1, 300000 do squares[#squares + 1] = x * x end
for _, x in ipairs(squares) do
  if x % 2 == 0 then even[#even + 1] = x end
end
print(#even)
