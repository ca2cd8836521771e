-- Questions about one plate have an index of their own, newest act first; so have one camera's cases,
-- all cases in the order of their acts, and sessions that are over. `cases_plate` stopped at the vehicle's type: with many
-- cases the planner preferred to walk the queue.
DROP INDEX cases_plate;
CREATE INDEX cases_plate ON cases (plate, state, act_at, id);
CREATE INDEX cases_camera ON cases (camera_id, act_at, id);
CREATE INDEX cases_act ON cases (act_at, id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Đ is a letter of its own. Before this, numbers were kept with D for both; where the law has no such
-- number with D, the stroke is put back: MĐ1 and MĐ with four digits on two wheels, TĐ on others and
-- with four digits. 29-MD 123.45 and 29-MĐ 123.45 both exist, so what a person typed then stays D, as
-- its notice has it.
UPDATE cases SET plate = substr(plate, 1, 2) || 'MĐ' || substr(plate, 5)
WHERE substr(plate, 3, 2) = 'MD' AND vehicle_type > 1 AND length(plate) IN (8, 10);
UPDATE cases SET plate = substr(plate, 1, 2) || 'TĐ' || substr(plate, 5)
WHERE substr(plate, 3, 2) = 'TD' AND (vehicle_type = 1 OR length(plate) = 8);
-- The form's type 3 is by the series MĐ alone.
UPDATE cases SET vehicle_type = 2
WHERE vehicle_type = 3 AND (plate IS NULL OR plate NOT LIKE '%MĐ%');
