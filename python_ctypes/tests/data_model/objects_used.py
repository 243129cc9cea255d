"""Probes of attributes, types, calls, protocols, copies and the standard library."""

ATTRIBUTES = """
W(Plain()).value
W(Plain()).missing
getattr(W(Plain()), 'missing', 'default')
hasattr(W(Plain()), 'value')
W(Plain()).computed
x = Plain(); W(x).computed = 9; x.value
x = Plain(); W(x).new = 1; vars(x)
x = Plain(); del W(x).value; vars(x)
del W(Plain()).missing
W(Plain()).shared
W(Plain()).method(1, key=2)
x = W(Plain()); [x.method(), x.method()]
W(Plain()).method.__self__.value
W(Plain()).fails()
W(Plain()).of_class()
W(Plain).of_class()
W(Plain).of_nobody()
W(Plain).method(Plain(3))
W(Plain()).__class__
W(Plain()).__doc__
W(Plain()).__module__
W(Plain()).__dict__
vars(W(Plain()))
vars(W(5))
W(Plain).__name__
W(Plain).__qualname__
W(len).__doc__
W(function).__name__
W(function).__defaults__
W(function).__code__ is function.__code__
W(Slotted()).value
x = Slotted(); W(x).value = 1; x.value
W(Slotted()).other = 1
W(Overrides()).anything
W(Falls()).anything
W(Point()).x = 5
W(Color.RED).name
W(Color).RED
W(Color).RED = 5
W(Color)['RED']
W(Color)(1)
list(W(Color))
W(5).real
W(5).bit_length()
W('a').upper()
W([3, 1]).sort()
x = [3, 1]; W(x).sort(); x
W({1: 2}).get(1)
W(math).pi
W(int).foo = 1
W(5).foo = 1
W(dict).fromkeys([1])
W(types.SimpleNamespace(a=1)).a
x = threading.local(); x.a = 1; W(x).a
x = threading.local(); W(x).a = 1; x.a
x = Plain(); W(weakref.proxy(x)).value
'upper' in dir(W('a'))
class C: x = W(property(lambda self: 'property')); _ = C().x
class C: x = W(property(lambda self: 'property')); C().x
class C: x = W(function); C().x(1)[:2] == (1, 2)
class C: x = W(classmethod(lambda cls: cls.__name__)); C().x()
class C: x = W(Describes()); C().x
class C: x = W(Describes()); C.x
class C: x = W(Describes()); c = C(); c.x = 5; vars(c)
class C: x = W(Describes()); c = C(); del c.x; vars(c)
class C: x = W(5); C().x == 5
class C: x = W(functools.cached_property(lambda self: 1)); C().x
W(Plain()).__str__ is not None
W(5).__add__(3)
W(5).__rsub__(3)
W([1]).__len__()
W([1]).__iter__().__next__()
inspect.getattr_static(W(Plain), '__doc__') is not None
"""

TYPES = """
isinstance(W(5), int)
isinstance(W(True), int)
isinstance(W([]), (list, dict))
isinstance(W(5), str)
isinstance(5, W(int))
isinstance(W(5), W(int))
isinstance(5, W((int, str)))
isinstance(5, W(5))
issubclass(bool, W(int))
issubclass(W(bool), int)
issubclass(int, W(5))
W(5).__class__ is int
callable(W(5))
callable(W(len))
callable(W(Plain))
callable(W(Calls()))
callable(W(Plain()))
callable(W([]))
[isinstance(W(5), kind) for kind in ABCS]
[isinstance(W(2.5), kind) for kind in ABCS]
[isinstance(W([]), kind) for kind in ABCS]
[isinstance(W({}), kind) for kind in ABCS]
[isinstance(W(set()), kind) for kind in ABCS]
[isinstance(W(''), kind) for kind in ABCS]
[isinstance(W(b''), kind) for kind in ABCS]
[isinstance(W(()), kind) for kind in ABCS]
[isinstance(W(None), kind) for kind in ABCS]
[isinstance(W(len), kind) for kind in ABCS]
[isinstance(W(Plain()), kind) for kind in ABCS]
[isinstance(W(Plain), kind) for kind in ABCS]
[isinstance(W(OnlyLen()), kind) for kind in ABCS]
[isinstance(W(OnlyIter()), kind) for kind in ABCS]
[isinstance(W(OnlyContains()), kind) for kind in ABCS]
[isinstance(W(OnlyGetitem()), kind) for kind in ABCS]
[isinstance(W(Counts()), kind) for kind in ABCS]
[isinstance(W(generator()), kind) for kind in ABCS]
[isinstance(W(Awaits()), kind) for kind in ABCS]
[isinstance(W(IteratesAsync()), kind) for kind in ABCS]
[isinstance(W(async_generator()), kind) for kind in ABCS]
[isinstance(W(Manages()), kind) for kind in ABCS]
[isinstance(W(ManagesAsync()), kind) for kind in ABCS]
[isinstance(W(Calls()), kind) for kind in ABCS]
[isinstance(W(Reverses()), kind) for kind in ABCS]
[isinstance(W(Path('a')), kind) for kind in ABCS]
[isinstance(W(memoryview(b'')), kind) for kind in ABCS]
[isinstance(W(iter([])), kind) for kind in ABCS]
[isinstance(W(Fraction(1)), kind) for kind in ABCS]
[isinstance(W(range(3)), kind) for kind in ABCS]
class C(W(Plain)): pass; C().value
class C(W(list[int])): pass; C.__mro__[1]
class C(W(Abstract)): pass; outcome(C)
W(Plain) == Plain
W(int) | None
typing.get_origin(W(list[int])) is list
W(Color.RED) == Color.RED
W(None) == None
W(NotImplemented) == NotImplemented
"""

CALLS = """
W(function)(1)
W(function)(1, 2, 3, c=4, d=5)
W(function)(a=1)
W(function)()
W(len)([1])
W(len)(1, 2)
W(Plain)(3).value
W(Plain(4).method)(1)
W(Calls())(1, a=2)
W(Calls)()(1)
W(lambda *a, **k: (a, k))(*[1], **{'b': 2})
W(functools.partial(function, 1))(b=5)
functools.partial(W(function), 1)(b=5)
W(5)()
W(print)(end='')
functools.reduce(W(operator.add), [1, 2])
functools.lru_cache(W(function))(1)
functools.wraps(W(function))(lambda: 5).__name__
functools.wraps(function)(W(lambda: 5))()
functools.singledispatch(W(function))(1)
functools.cmp_to_key(W(lambda a, b: a - b))(1) < functools.cmp_to_key(lambda a, b: a - b)(2)
list(map(W(str), [1]))
sorted([3, 1], key=W(operator.neg))
inspect.signature(W(function))
inspect.signature(W(Plain().method))
inspect.signature(W(len))
inspect.isfunction(W(function))
inspect.isclass(W(Plain))
inspect.ismethod(W(Plain().method))
inspect.isbuiltin(W(len))
inspect.isgenerator(W(generator()))
inspect.iscoroutinefunction(W(coroutine))
inspect.isgeneratorfunction(W(generator))
inspect.unwrap(W(functools.wraps(len)(function)), stop=lambda f: f == len) == len
inspect.getdoc(W(function))
typing.get_type_hints(W(function))
@W(lambda f: 'decorated')\ndef decorated(): pass; decorated
with W(Manages()) as x: pass; x
x = Manages(); with_error(W(x), KeyError); x.log
x = Manages(); outcome(with_error, W(x), ValueError), x.log
outcome(with_error, W(5), KeyError)
contextlib.ExitStack().enter_context(W(Manages()))
contextlib.ExitStack().enter_context(W(5))
contextlib.closing(W(Counts())) is not None
W(threading.Lock()).acquire()
with W(threading.Lock()) as x: pass; x
run(W(coroutine()))
run(awaiting(W(coroutine())))
run(awaiting(W(Awaits())))
run(awaiting(W(old_coroutine())))
run(awaiting(W(5)))
run(iterating(W(async_generator())))
run(iterating(W(IteratesAsync())))
run(iterating(W([])))
run(entering(W(ManagesAsync())))
run(entering(W(5)))
run(awaiting(anext(W(IteratesAsync()))))
run(awaiting(anext(aiter(W(IteratesAsync())))))
asyncio.run(gathering(W(coroutine())))
asyncio.run(W(coroutine)())
asyncio.iscoroutine(W(coroutine()))
inspect.isawaitable(W(coroutine()))
inspect.isawaitable(W(5))
x = W(coroutine()); x.close()
x = W(5); type(copy.copy(x)) is type(x), bare(copy.copy(x))
x = W([[1]]); y = copy.copy(x); y.append(2); bare(x)
x = W([[1]]); y = copy.deepcopy(x); y[0].append(2); bare(x)
copy.copy(W(generator()))
x = W(Plain()); weakref.ref(x)() is x
x = W(Plain()); len(weakref.WeakSet([x]))
x = W(Plain()); weakref.proxy(x).value
[bare(pickle.loads(pickle.dumps(W({'a': [1]}), p))) for p in range(6)]
bare(pickle.loads(pickle.dumps(W(Point())))) == Point()
pickle.loads(pickle.dumps(W(int))) == int
pickle.dumps(W(lambda: 1)) and None
copy.replace(W(Point()), x=5) if hasattr(copy, 'replace') else 0
{W('a'): 1}['a']
{'a': 1}[W('a')]
{1: 2}.get(W(1))
W('a') == W('a')
W(3) < W(4)
len({W(1), 1})
"""

STANDARD_LIBRARY = """
''.join(json.JSONEncoder().iterencode({'a': 1}))
json.loads(W(b'[1]'))
string.Template('$a').substitute(W({'a': 1}))
'{a}'.format_map(W({'a': 1}))
datetime.fromtimestamp(W(0)).year
date(W(2024), 1, W(2))
random.Random(1).choice(W([5]))
random.Random(1).sample(W([5]), 1)
random.Random(1).randrange(W(1))
textwrap.fill(W('a b'), W(10))
os.path.basename(W(Path('/a/b')))
open(W(os.devnull)).read()
io.StringIO().write('a')
csv.writer(io.StringIO()).writerow(W([1, 2]))
list(csv.reader(W(['a,b'])))
contextlib.nullcontext(W(5)).__enter__() == 5
enum.Enum('E', W({'A': 1})).A.value
types.MappingProxyType(W({1: 2}))[1]
W(queue.SimpleQueue()).put(1)
collections.namedtuple('T', W(['a']))(1).a
collections.UserList(W([1])).data == [1]
collections.UserDict(W({1: 2})).data == {1: 2}
statistics.fmean(W([1, 2]))
fractions.Fraction(W(1), W(2))
uuid.UUID(W('12345678123456781234567812345678')).int
logging.Logger('a').isEnabledFor(W(10))
sqlite3.connect(':memory:').execute('select ?', W((1,))).fetchall()
time.sleep(W(0))
numbers.Number in type(W(5)).__mro__ or isinstance(W(5), numbers.Number)
operator.truth(W([]))
select.select(W([]), [], [], 0)
slice(W(1), W(2)).indices(W(5))
zip(W([1]), strict=W(True)) is not None
sys.getsizeof(W([])) > 0
urllib.parse.urlencode(W({'a': 1}))
urllib.parse.quote(W('a b'))
concurrent.futures.ThreadPoolExecutor(W(1)).submit(W(len), W([1])).result()
threading.Thread(target=W(len), args=W(([],))).run()
gc.is_tracked(W([]))
unittest.mock.Mock(wraps=W(len))([1])
unittest.mock.create_autospec(W(function))(1) is not None
'no place' % W(5)
inspect.signature(W(Plain))
os.path.exists(W('/'))
b'%s' % W(3)
b'%s' % W(b'a')
int.from_bytes(W(3), 'big')
int.from_bytes(W([1, 2]), 'big')
bytes(W(3))
b''.join([W(3)])
os.stat(W(Path('/'))).st_ino
os.stat(W('/')).st_ino
os.listdir(W(5.5))
os.path.isdir(W(Path('/')))
os.path.samefile(W('/'), W(Path('/')))
os.fspath(W(5))
os.open(W('/dev/null'), os.O_RDONLY) > 0
W(Path('/')) / W('tmp')
eval('1', {}, W(5))
eval('a', {}, W({'a': 1}))
types.MappingProxyType(W(5))
types.MappingProxyType(W({'a': 1}))['a']
'%(a)s' % W({'a': 1})
'%d' % W([])
'%x' % W(2.5)
csv.writer(io.StringIO(), quoting=csv.QUOTE_NONNUMERIC).writerow([W(Path('a'))])
csv.writer(io.StringIO(), quoting=csv.QUOTE_NONNUMERIC).writerow([W(5)])
sqlite3.connect(':memory:').execute('select ?', W((1,))).fetchall()
sqlite3.connect(':memory:').executemany('select 1 where ?', W(5))
next(W([]), None)
[*zip(W([1]), W(iter([2])))]
contextlib.ExitStack().push(W(function)) is not None
contextlib.ExitStack().enter_context(W(5))
contextlib.ExitStack().callback(W(len), []) is not None
with W(W(5)): pass
with W(5): pass
isinstance(W(5), os.PathLike)
[isinstance(W([]), kind) for kind in SUPPORTS]
[isinstance(W(5), kind) for kind in SUPPORTS]
[isinstance(W(1j), kind) for kind in SUPPORTS]
isinstance(W(5), contextlib.AbstractContextManager)
x = deque([1]); y = x; y += W([2]); [x, y is x]
x = [1]; y = x; y += W((2,)); [x, y is x]
x = [1]; y = x; y *= W(2); [x, y is x]
x = bytearray(b'a'); y = x; y += W(b'b'); [x, y is x]
[1] + W((2,))
[1] * W(2)
inspect.getattr_static(W(Plain()), 'method') is Plain.method
inspect.getattr_static(W(Plain()), 'missing', 5)
inspect.signature(W(Calls()))
inspect.signature(W(len))
inspect.signature(W(Plain().method))
inspect.signature(unittest.mock.create_autospec(W(Plain)))
copy.copy(W([1]))
struct.pack('i', W(5))
struct.pack('i', W(2.5))
struct.pack('d', W([]))
math.floor(W('1.5'))
math.floor(W(2.5))
complex(W(5))
complex(W([]))
array.array('i', W(range(3))).tolist()
random.Random(W(5)).random()
zlib.crc32(W(b'a'))
zlib.crc32(W(5))
select.select([], [], [], W(0))
functools.reduce(W(lambda x, y: x + y), W([1, 2]), W(3))
functools.partial(W(pow), 2)(W(3))
bisect.bisect(W([1, 2]), W(2))
"""

# What code in C that tests the exact type of its argument makes impossible for any proxy.
