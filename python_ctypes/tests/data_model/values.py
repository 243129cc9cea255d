"""Probes of conversions, containers and buffers. One a line, whose last statement is compared."""

CONVERSIONS = """
int(W(5))
int(W('7'))
int(W(2.9))
int(W(Number()))
float(W(5))
float(W('2.5'))
float(W(Number()))
complex(W(2j))
complex(W('1+2j'))
complex(W(Number()))
complex(1, W(2))
bool(W([]))
bool(W(Number()))
bool(W(OnlyLen()))
str(W(5))
str(W(Number()))
str(W(b'ab'), 'utf8')
bytes(W(b'ab'))
bytes(W([1, 2]))
bytes(W(Number()))
bytes(W(3))
bytearray(W(b'ab'))
bytearray(W([1]))
hash(W('a')) == hash('a')
hash(W([]))
hash(W(Point()))
round(W(2.567), 1)
round(W(2.5))
round(W(Number()), 2)
round(2.567, W(1))
round(W('a'))
math.trunc(W(2.9))
math.floor(W(2.9))
math.ceil(W(2.1))
math.floor(W(Fraction(10**40 + 1, 3)))
math.trunc(W(Number()))
math.floor(W(Number()))
math.ceil(W(Number()))
operator.index(W(5))
operator.index(W(2.5))
hex(W(255))
bin(W(5))
oct(W(8))
chr(W(65))
format(W(5), '05d')
format(W(2.5), '.3f')
format(W(Number()), 'spec')
f'{W(5):>4}'
'{:d}'.format(W(5))
'{0.value}'.format(W(Plain()))
'{0[1]}'.format(W([1, 2]))
'%d' % W(5)
'%s' % W('a')
'%.1f' % W(2.5)
'%(a)s' % W({'a': 1})
os.fspath(W(Path('a')))
os.fspath(W('a'))
os.fspath(W(5))
os.path.join(W(Path('a')), 'b')
Path(W('a'))
int.from_bytes(W(b'ab'), 'big')
[10, 20, 30][W(1)]
[10, 20, 30][W(0):W(2)]
'abc'[W(1)]
range(W(3))
list(range(W(1), W(7), W(2)))
[0] * W(2)
struct.pack('i', W(5))
struct.pack('d', W(2.5))
sum([W(1), W(2)])
max(W(3), W(5)) == 5
min([W(3), W(1)]) == 1
sorted([W(3), W(1), W(2)]) == [1, 2, 3]
math.sqrt(W(16))
math.gcd(W(12), W(18))
math.isclose(W(1.0), 1.0)
math.prod([W(2), W(3)])
"""

CONTAINERS = """
len(W([1, 2]))
len(W({1: 2}))
len(W({1}))
len(W(OnlyLen()))
len(W(5))
W([1, 2])[0]
W([1, 2])[-1]
W([1, 2])[W(1)]
W([1, 2, 3])[1:]
W([1, 2, 3])[::-1]
W([1])[5]
W({'a': 1})['a']
W({'a': 1})['b']
W(Missing())['b']
W('abc')[1]
W((1, 2))[0]
W(OnlyGetitem())[2]
W(list)[int]
W(5)[0]
x = W([1, 2]); x[0] = 9; bare(x)
x = W([1, 2, 3]); x[:2] = [7]; bare(x)
x = W({}); x['a'] = 1; bare(x)
x = W((1,)); x[0] = 1
x = W([1, 2]); del x[0]; bare(x)
x = W({1: 2}); del x[1]; bare(x)
x = W({1: 2}); del x[5]
x = W([1, 2, 3]); del x[::2]; bare(x)
1 in W([1])
W(1) in [1]
5 in W({1: 2})
1 in W({1})
1 in W(iter([1]))
'in' in W(OnlyContains())
10 in W(OnlyGetitem())
'a' in W(OnlyIter())
5 in W(defaultdict(int))
x = W(defaultdict(int)); 5 in x; len(x)
[] in W({})
1 in W(5)
W(1) in {1: 2}
W('a') in {'a'}
list(W([1, 2]))
list(W({1: 2}))
list(W(OnlyIter()))
list(W(OnlyGetitem()))
list(W(5))
list(iter(W('ab')))
tuple(W(range(3)))
set(W([1, 1]))
dict(W({1: 2}))
dict(W([(1, 2)]))
frozenset(W('ab'))
iter(W(5))
next(W(iter([1])))
next(W(iter([])), 'default')
next(W([1]))
list(W(Counts()))
x = W(Counts()); [next(x), next(x)]
x = W(iter([1, 2])); [*x, *x]
outcome(next, W(generator()))
x = W(generator()); next(x); x.send(5)
x = W(generator()); next(x); next(x); stopped(x)
x = W(generator()); next(x); x.close()
x = W(generator()); next(x); outcome(x.throw, KeyError)
list(reversed(W([1, 2])))
list(reversed(W({1: 2})))
list(reversed(W(Reverses())))
list(reversed(W('ab')))
reversed(W({1}))
reversed(W(5))
operator.length_hint(W(iter([1, 2])))
operator.length_hint(W(Hints()))
operator.length_hint(W(5), 4)
a, b = W((1, 2)); (a, b)
a, *b = W([1, 2, 3]); (a, b)
a, b = W({1: 2, 3: 4}); (a, b)
a, b = W(5)
a, b = W([1])
[*W([1]), *W((2,))]
{**W({'a': 1})}
function(*W((1, 2)))
function(**W({'a': 1, 'z': 2}))
list(zip(W([1]), W('a')))
list(map(W(abs), W([-1])))
list(enumerate(W('ab')))
sorted(W([3, 1]))
sum(W([1, 2]))
any(W([0, 1]))
all(W([]))
min(W([3, 1]))
list(filter(W(bool), [0, 1]))
', '.join(W(['a', 'b']))
x = [1]; x += W([2]); x
x = [1]; x.extend(W((2,))); x
x = {1: 2}; x.update(W({3: 4})); x
x = {1}; x.update(W([2])); x
{1, 2} <= W({1, 2, 3})
operator.concat(W([1]), [2])
operator.countOf(W([1, 1]), 1)
operator.indexOf(W([1, 2]), 2)
operator.itemgetter(1)(W([1, 2]))
operator.attrgetter('value')(W(Plain()))
operator.methodcaller('upper')(W('a'))
operator.contains(W([1]), 1)
operator.getitem(W([1, 2]), W(1))
list(itertools.chain(W([1]), W([2])))
list(itertools.islice(W([1, 2, 3]), W(2)))
deque(W([1, 2]))
Counter(W('aab'))
ChainMap(W({1: 2}))[1]
OrderedDict(W({1: 2}))
bisect.bisect(W([1, 3]), 2)
heapq.nsmallest(1, W([3, 1]))
match(W([1, 2, 3]))
match(W((1, 2)))
match(W({'key': 1}))
match(W(Point(3, 4)))
match(W(5))
match(W('text'))
match(W(deque([1])))
match(W({1}))
match(W(range(3)))
match(W(b'ab'))
array.array('i', W([1, 2]))
"""

BUFFERS = """
bytes(memoryview(W(b'ab')))
memoryview(W(bytearray(b'ab'))).readonly
x = bytearray(b'ab'); memoryview(W(x))[0] = 65; x
memoryview(W(array.array('i', [1, 2]))).tolist()
memoryview(W(5))
b''.join([W(b'a'), b'b'])
hashlib.sha256(W(b'ab')).hexdigest()
struct.unpack('<h', W(b'ab'))
x = bytearray(4); struct.pack_into('<h', W(x), 0, 5); bytes(x)
x = bytearray(b'ab'); m = memoryview(W(x)); outcome(x.append, 1)
x = bytearray(b'ab'); m = memoryview(W(x)); m.release(); x.append(67); bytes(x)
zlib.crc32(W(b'ab'))
binascii.hexlify(W(b'ab'))
base64.b64encode(W(b'ab'))
io.BytesIO(W(b'ab')).read()
x = bytearray(2); io.BytesIO(b'ab').readinto(W(x)); bytes(x)
b'a' + W(b'b')
bytearray(b'a') + W(b'b')
b'abc'.find(W(b'b'))
b'abc'.startswith(W(b'a'))
b'abc'.replace(W(b'b'), b'x')
b'ab' == W(b'ab')
int.from_bytes(W(bytearray(b'a')), 'little')
"""
