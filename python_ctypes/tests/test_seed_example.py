"""The example that ft_local was made for: unchanged, but for the import."""

import uuid

import ft_local as local

EXAMPLE = """
import ft_local as local
import uuid

def generate_guid():
    return uuid.uuid4()

# Create a BatchExecutor for generating GUIDs
batch_executor = local.BatchExecutor(generate_guid, 10)

# Define a generator function that calls the LocalWrapper 10 times
def generate_guids():
    # Create a LocalWrapper around the BatchExecutor
    local_wrapper = local.LocalWrapper(batch_executor)
    for _ in range(10):
        yield local_wrapper.load()

# Use the generator function to print 10 GUIDs
for guid in generate_guids():
    print(guid)
"""


def test_the_example_prints_ten_guids(run_python):
    process = run_python("-c", EXAMPLE)
    assert (process.returncode, process.stderr) == (0, "")
    guids = [uuid.UUID(line) for line in process.stdout.splitlines()]
    assert len(guids) == len(set(guids)) == 10
    assert {guid.version for guid in guids} == {4}


def test_the_example_calls_the_source_ten_times_and_hands_out_all():
    made = []

    def generate_guid():
        made.append(uuid.uuid4())
        return made[-1]

    batch_executor = local.BatchExecutor(generate_guid, 10)
    local_wrapper = local.LocalWrapper(batch_executor)
    assert [local_wrapper.load() for _ in range(10)] == made
    assert len(made) == 10
