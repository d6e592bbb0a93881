local n = 1000000
local sum = 0
for i = 1, n do
  if i % 3 == 0 then sum = sum + i * 2 else sum = sum - 1 end
end
print(string.format("%d", sum))
