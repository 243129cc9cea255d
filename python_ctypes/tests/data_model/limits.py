"""What docs/python.md says no proxy can do. Each probe passes with the bare object."""

import contextvars
import csv
import io
import select
import socket
import sqlite3
import unittest.mock


class Base:
    def __add__(self, other):
        return "base"


class Derived(Base):
    def __radd__(self, other):
        return "derived"


def caused_by(error):
    try:
        raise KeyError from error  # noqa: TRY301 - it is what is tried
    except KeyError:
        return "caught"


def thrown(error):
    def generator():
        try:
            yield 1
        except KeyError:
            yield 2

    running = generator()
    next(running)
    return running.throw(error)


def reset(token_of):
    variable = contextvars.ContextVar("variable")
    variable.reset(token_of(variable.set(1)))
    return True


def bound(address):
    with socket.socket() as listener:
        listener.bind(address)
        return True


def is_none(value):
    match value:
        case None:
            return True
        case _:
            return False


def in_place(function, values, more):
    return function(values, more) is values


def in_a_row(value):
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_NONNUMERIC).writerow([value])
    return file.getvalue()


def readable(number_of):
    left, right = socket.socketpair()
    with left, right:
        return select.select([number_of(left.fileno())], [], [], 0)[1]


def mocked(effect):
    try:
        return unittest.mock.Mock(side_effect=effect)()
    except KeyError:
        return "caught"


def from_database(value):
    connection = sqlite3.connect(":memory:")
    try:
        return connection.execute("select :a", value).fetchall()
    finally:
        connection.close()


LIMITS = """
''.join([W('a')])
'abc'.startswith(W('a'))
W('a') in 'abc'
'a'.replace(W('a'), 'b')
str.upper(W('a'))
list.append(W([1]), 2)
re.match('a', W('a')).group()
shlex.split(W('a b'))
eval(W('1'))
int(W('11'), 2)
ord(W('a'))
compile(W('1'), 'file', 'eval').co_filename
float.fromhex(W('1'))
bytes.fromhex(W('01'))
unicodedata.normalize('NFC', W('a'))
hmac.compare_digest(W('a'), 'a')
io.StringIO(W('a')).read()
readable(W)
ipaddress.ip_network(W(1))
W(5).__eq__(W(5))
inspect.getfullargspec(W(Plain)).args
mocked(W(KeyError()))
io.StringIO().write(W('a'))
math.sqrt(W('4'))
'%d' % W('5')
struct.pack('d', W('1.5'))
in_a_row(W('a'))
isinstance(W('a'), typing.SupportsBytes)
isinstance(W('a'), typing.SupportsComplex)
json.loads(W('[1]'))
Fraction(W('1/2'))
timedelta(W(1))
datetime(2024, 1, 2, tzinfo=W(UTC))
datetime(2024, 1, 2).astimezone(W(UTC))
timezone(W(timedelta(hours=1)))
datetime.combine(W(date(2024, 1, 2)), datetime.min.time())
UTC.utcoffset(W(datetime(2024, 1, 2)))
reset(W)
bound(W(('127.0.0.1', 0)))
time.strftime('%Y', W(time.gmtime(0)))
json.dumps([W(1)])
pprint.pformat(W({'b': 1, 'a': 2}))
marshal.dumps(W(1))
heapq.heappush(W([1]), 2)
eval('x', W({'x': 1}))
types.MappingProxyType(W([1]))
'%s-%s' % W((1, 2))
'no place' % W('a')
'no place' % W(int)
hashlib.new(W('sha256')).name
array.array(W('i')).typecode
array.array('i', W(b'abcd')).tolist()
catching(W(KeyError))
caused_by(W(ValueError()))
thrown(W(KeyError('a')))
issubclass(W(int), collections.abc.Hashable)
type('X', (W(Plain),), {}).shared
types.new_class('X', (W(Plain),)).shared
super(W(Plain), Plain()).__init__()
importlib.reload(W(string)) is string
isinstance(unittest.mock.Mock(spec=W(Plain)), Plain)
xml.etree.ElementTree.Element('a').append(W(xml.etree.ElementTree.Element('b')))
type(ctypes.byref(W(ctypes.c_int(5)))).__name__
ctypes.sizeof(W(ctypes.c_int))
dataclasses.asdict(W(Point()))
dataclasses.replace(W(Point()), x=3)
dataclasses.is_dataclass(W(Point()))
from_database(W({'a': 1}))
from_database({'a': W(1)})
type(statistics.mean([W(1), W(2)])) is float
random.Random(W(10**30)).random()
W(None) is None
is_none(W(None))
type(W(5)) is int
Base() + W(Derived())
in_place(operator.iadd, [1], W([2]))
in_place(operator.iadd, array.array('i'), W(array.array('i')))
in_place(operator.ior, {1}, W({2}))
[1, 2][W(slice(0, 1))]
match(W(None))
statistics.mean([W(1), W(2)])
json.dumps([1, W([2])])
'abc'.replace(W('a'), 'b')
getattr(Plain(), W('value'))
int(W('11'), W(2))
json.dumps({'a': W(1)})
json.dumps(W({'a': 1}))
raising(W(KeyError('a')))
raising(W(KeyError))
x = [1]; y = x; y += W([2]); x
W(5) is W(5)
sqlite3.connect(':memory:').execute('select ?', (W(1),)).fetchall()
"""
