-- The canonical states of a ticket (services/tickets/states.py); new values may be used from the next file on.

ALTER TYPE ticket_status RENAME VALUE 'handling' TO 'in_progress';
ALTER TYPE ticket_status RENAME VALUE 'answered' TO 'handled';
ALTER TYPE ticket_status ADD VALUE 'reported' BEFORE 'accepted';
ALTER TYPE ticket_status ADD VALUE 'verified' AFTER 'handled';
ALTER TYPE ticket_status ADD VALUE 'archived' AFTER 'closed';
ALTER TYPE ticket_status ADD VALUE 'returned' AFTER 'archived';
ALTER TYPE ticket_status ADD VALUE 'suspended' AFTER 'returned';
ALTER TYPE ticket_status ADD VALUE 'consulted' AFTER 'suspended';
ALTER TYPE ticket_status ADD VALUE 'transferred' AFTER 'consulted';
ALTER TYPE ticket_status ADD VALUE 'merged' AFTER 'transferred';
ALTER TYPE ticket_status ADD VALUE 'rejected' AFTER 'merged';
ALTER TYPE ticket_status ADD VALUE 'reopened' AFTER 'rejected';
