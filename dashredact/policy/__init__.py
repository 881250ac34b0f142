"""The policy: who films, why, with which cameras, how long anything is kept. Text in, values out; no file is opened."""
