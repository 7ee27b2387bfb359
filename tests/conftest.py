"""What every test starts from."""

import os

# The developer's own guard must not reach into the tests, nor into the processes that they start.
for name in [name for name in os.environ if name.startswith("SSOT_GUARD")]:
    del os.environ[name]
