"""LocalWrapper: what docs/python.md says that no proxy can do is so, and `w.wrapped` does it."""

import contextvars
import csv
import dataclasses
import importlib
import io
import socket
import sqlite3

import pytest
from ft_local import LocalWrapper

pytestmark = pytest.mark.filterwarnings("ignore")


@dataclasses.dataclass
class Point:
    x: int = 1


class Base:
    def __add__(self, other):
        return "base"


class Derived(Base):
    def __radd__(self, other):
        return "derived"


class Plain:
    x = 1


def caught(error):
    try:
        raise error
    except KeyError:
        return "caught"


def catching(kind):
    try:
        raise KeyError
    except kind:
        return "caught"


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


def from_database(value):
    connection = sqlite3.connect(":memory:")
    try:
        return connection.execute("select :a", value).fetchall()
    finally:
        connection.close()


MODULES = """
array collections.abc ctypes datetime decimal fractions hashlib heapq importlib io json marshal math
operator pprint random re shlex statistics string struct time types typing unittest.mock
"""

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
io.StringIO().write(W('a'))
math.sqrt(W('4'))
'%d' % W('5')
struct.pack('d', W('1.5'))
in_a_row(W('a'))
isinstance(W('a'), typing.SupportsBytes)
isinstance(W('a'), typing.SupportsComplex)
json.loads(W('[1]'))
fractions.Fraction(W('1/2'))
datetime.timedelta(W(1))
datetime.datetime(2024, 1, 2, tzinfo=W(datetime.UTC))
datetime.datetime(2024, 1, 2).astimezone(W(datetime.UTC))
datetime.timezone(W(datetime.timedelta(hours=1)))
datetime.datetime.combine(W(datetime.date(2024, 1, 2)), datetime.time())
datetime.UTC.utcoffset(W(datetime.datetime(2024, 1, 2)))
reset(W)
bound(W(('127.0.0.1', 0)))
time.strftime('%Y', W(time.gmtime(0)))
json.dumps([W(1)])
json.dumps(W({}))
pprint.pformat(W({'b': 1, 'a': 2}))
marshal.dumps(W(1))
heapq.heappush(W([1]), 2)
eval('x', W({'x': 1}))
types.MappingProxyType(W([1]))
'%s-%s' % W((1, 2))
'no place' % W('a')
'no place' % W(int)
getattr(Plain(), W('x'))
hashlib.new(W('sha256')).name
array.array(W('i')).typecode
array.array('i', W(b'abcd')).tolist()
caught(W(KeyError('a')))
catching(W(KeyError))
caused_by(W(ValueError()))
thrown(W(KeyError('a')))
issubclass(W(int), collections.abc.Hashable)
type('X', (W(Plain),), {}).x
types.new_class('X', (W(Plain),)).x
super(W(Plain), Plain()).__init__()
importlib.reload(W(string)) is string
isinstance(unittest.mock.Mock(spec=W(Plain)), Plain)
etree.Element('a').append(W(etree.Element('b')))
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
""".strip().splitlines()


def namespace():
    names = {"etree": importlib.import_module("xml.etree.ElementTree"), **globals()}
    for module in MODULES.split():
        importlib.import_module(module)
        package = module.partition(".")[0]
        names[package] = importlib.import_module(package)
    return names


def outcome(expression, wrap):
    try:
        result = eval(expression, {**namespace(), "W": wrap})  # noqa: S307 - our own text
    except Exception as error:  # noqa: BLE001 - it is what is compared
        return type(error)
    return repr(result)


@pytest.mark.parametrize("expression", LIMITS)
def test_a_limit_is_one(expression):
    wrapped = outcome(expression, LocalWrapper)
    assert wrapped != outcome(expression, lambda value: value)


@pytest.mark.parametrize("expression", LIMITS)
def test_what_is_wrapped_passes_it(expression):
    bare = outcome(expression, lambda value: LocalWrapper(value).wrapped)
    assert bare == outcome(expression, lambda value: value)
