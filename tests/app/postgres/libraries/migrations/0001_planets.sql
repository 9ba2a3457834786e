-- Up Migration
CREATE TABLE planets (name text PRIMARY KEY);
INSERT INTO planets VALUES ('Mercury'), ('Venus');

-- Down Migration
DROP TABLE planets;
