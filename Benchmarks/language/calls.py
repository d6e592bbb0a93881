def step(a, i):
    return a - i if a > 1000 else a + i


a = 0
for i in range(1, 300_001):
    a = step(a, i)
print(a)
print(len(list(filter(lambda x: x % 2 == 0, map(lambda x: x * x, range(1, 300_001))))))
