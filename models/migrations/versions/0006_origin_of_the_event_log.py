"""The event log knows in which database its events were written.

Revision: 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("event_log", sa.Column("origin", sa.String(length=60), nullable=True))


def downgrade() -> None:
    op.execute("ALTER TABLE event_log DROP COLUMN origin")
