-- Up Migration

-- Session settings by role, since RDS Proxy refuses them as startup parameters and a SET would pin the connection ("Avoiding pinning an
-- RDS Proxy", Amazon RDS User Guide). Each is well below the service's request deadline, so that a request gets its own answer; the
-- migrations set their own. Sessions that stand keep what they had.
ALTER ROLE CURRENT_USER SET statement_timeout = '20s';
ALTER ROLE CURRENT_USER SET lock_timeout = '10s';
ALTER ROLE CURRENT_USER SET idle_in_transaction_session_timeout = '30s';

-- Down Migration

ALTER ROLE CURRENT_USER RESET statement_timeout;
ALTER ROLE CURRENT_USER RESET lock_timeout;
ALTER ROLE CURRENT_USER RESET idle_in_transaction_session_timeout;
