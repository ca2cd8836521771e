"use strict";
// The page's own words, Vietnamese first. Names of sections, shapes and fields come with the table,
// acts and reasons from the words that the central's pages use.
const TEXT = {
  title: ["Cài đặt camera", "Camera set-up"],
  camera: ["Camera", "Camera"],
  language: ["English", "Tiếng Việt"],
  leave: ["Đăng xuất", "Sign out"],
  save: ["Lưu vào tệp cấu hình", "Save to the site file"],
  undo: ["Hoàn tác", "Undo"], redo: ["Làm lại", "Redo"],
  nearer: ["Phóng to", "Zoom in"], farther: ["Thu nhỏ", "Zoom out"], whole: ["Toàn ảnh", "Whole picture"],
  again: ["▶ Phát lại", "▶ Play again"],
  done: ["Xong", "Done"], cancel: ["Bỏ", "Cancel"],
  things: ["Các hình đã vẽ", "What is drawn"],
  add: ["Thêm", "Add"], draw: ["Vẽ", "Draw"], redraw: ["Vẽ lại", "Draw anew"],
  remove: ["Xoá", "Remove"], remove_point: ["Xoá điểm", "Remove point"], add_point: ["Thêm điểm", "Add point"],
  close: ["Đóng", "Close"],
  tap: ["Chạm vào ảnh để đặt điểm {n}", "Tap the picture to place point {n}"],
  tap_end: ["Chạm điểm tiếp theo, rồi bấm Xong ({n} điểm)", "Tap the next point, then Done ({n} points)"],
  tap_box: ["Chạm hai góc đối diện của khung", "Tap two opposite corners of the box"],
  x: ["x", "x"], y: ["y", "y"], width: ["rộng", "width"], height: ["cao", "height"],
  metres_x: ["m ngang", "m across"], metres_y: ["m dọc", "m along"], miss: ["lệch", "off"],
  lamps: ["Đèn đang đọc được", "Lamps as read now"],
  confirmed: ["xác nhận", "confirmed"], dark: ["tối", "dark"], unclear: ["không rõ", "unclear"], nothing: ["chưa rõ", "not yet"],
  complaints: ["Cần sửa trước khi lưu", "To be put right before saving"],
  no_complaints: ["Cấu hình hợp lệ. Sẽ giám sát: ", "The configuration is good. It judges: "],
  no_acts: ["chưa có hành vi nào", "no act yet"],
  line: ["dòng", "line"],
  elsewhere: ["Vẽ trong tệp khác, không sửa ở đây", "Drawn in another file, not edited here"],
  survey_good: ["Sai số còn lại {m} m, {px} điểm ảnh. Đoạn dài {length} m; xe chạy {limit} km/h được đo chính xác đến ±{u} km/h. Chỉ phạt từ {from} km/h.",
    "Left over: {m} m, {px} pixels. The stretch is {length} m; a car at {limit} km/h is measured to ±{u} km/h. Nobody is accused below {from} km/h."],
  survey_four: ["bốn điểm không kiểm tra được nhau, hãy đo thêm", "four points cannot check each other, survey more"],
  survey_seldom: ["Đoạn dài {length} m là quá ngắn: xe chạy {limit} km/h chỉ được thấy {n} lần.",
    "The stretch of {length} m is too short: a car at {limit} km/h is seen {n} times only."],
  survey_bad: ["Chưa dùng được: survey ", "Not yet of use: survey "],
  trial: ["Thử trên giao thông vừa qua", "Try on the traffic just seen"],
  try_it: ["Thử với {n} giây đã xem", "Try on {n} seconds"],
  trying: ["Đang thử: {done}/{of} ảnh", "Trying: {done} of {of} pictures"],
  tried: ["{seconds} giây, {tracks} xe. Không niêm phong, không gửi gì.", "{seconds} s, {tracks} vehicles. Nothing was sealed or sent."],
  would: ["Sẽ bị lập hồ sơ: {n}", "Would be accused: {n}"],
  cut_short: ["Hết thời gian, chỉ thử được một phần.", "Time was up: only a part was tried."],
  more: ["và {n} trường hợp nữa", "and {n} more"],
  others: ["Không lập hồ sơ, theo lý do", "Not accused, by reason"],
  plate_read: ["đọc được biển số", "plate read"], plate_unread: ["không đọc được biển số", "plate not read"],
  saved: ["Đã lưu vào {file}", "Saved to {file}"],
  unsaved: ["Chưa lưu", "Not saved yet"], unchanged: ["Không có thay đổi", "No changes"],
  changed: ["Tệp đã bị người khác sửa từ khi mở. Hãy tải lại trang rồi vẽ lại.", "Somebody changed the file since it was opened. Load the page anew, then draw again."],
  other_camera: ["Hình vẽ này thuộc camera khác. Hãy tải lại trang.", "This is the drawing of another camera. Load the page anew."],
  kept: ["Phiên đăng nhập đã hết khi hình vẽ chưa được lưu. Tiếp tục với hình vẽ đó?", "The session ended before the drawing was saved. Go on with that drawing?"],
  kept_old: ["Tệp đã bị sửa từ khi vẽ: hình vẽ chưa lưu trước khi phiên hết không dùng được nữa.", "The file was changed since: what was drawn and not saved before the session ended is of no use any more."],
  no_eyes: ["Không tải được mô hình nhận dạng", "The detector could not be loaded"],
  no_traffic: ["Chưa có giao thông để thử, hãy chờ vài giây", "No traffic was kept yet: wait some seconds"],
  busy: ["Đang có lần thử khác", "Another trial is running"],
  away: ["Mất kết nối với hộp", "The box does not answer"],
  over: ["Hết bản ghi", "The recording is over"],
  yes: ["có", "yes"], default_: ["(mặc định)", "(default)"], all: ["(tất cả)", "(all)"],
  vertical: ["dọc", "vertical"], horizontal: ["ngang", "horizontal"],
  directions: ["hai chiều xe chạy", "directions"], lanes: ["các làn cùng chiều", "lanes"], expressway_lanes: ["làn cao tốc", "expressway lanes"],
  both: ["cả hai phía", "both sides"], left_side: ["bên trái vạch", "left of the line"], right_side: ["bên phải vạch", "right of the line"],
  connecting: ["Đang kết nối", "Connecting"], streaming: ["Đang nhận hình", "Streaming"],
};
let language = localStorage.getItem("language") === "en" ? "en" : "vi";
let table = null;

function t(key, values = {}) {
  const words = (TEXT[key] || [key, key])[language === "vi" ? 0 : 1];
  return words.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// A word of a field's choices.
function word(field, value) {
  const chapter = { movement: "movement", controls: "movement", allowed: "movement", movements: "movement",
    classes: "vehicle", lights: "lamp", act: "act" }[field];
  if (chapter) return table.words[language][chapter][value] || value;
  if (field === "from" && value !== "both") return t(`${value}_side`);
  return t(value);
}

function reason(name) {
  const all = table.words[language];
  return all.lawful[name] || all.in_doubt[name] || name;
}

const act = (name) => table.words[language].act[name] || table.sections.find((it) => it.key === name)?.[language] || name;

// An element with attributes, listeners (on…) and children; text is only ever text.
function make(name, attributes = {}, ...children) {
  const svg = ["path", "circle", "rect", "text", "g"].includes(name);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

const by = (id) => document.getElementById(id);
