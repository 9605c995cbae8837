/** The inbox client, whose tabs share a socket and whose reads outlive a lost network. */
export { InboxClient } from "./inbox-client.js";
