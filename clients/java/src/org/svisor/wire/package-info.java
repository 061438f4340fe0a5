/** Bytes to values and back: XML-RPC and JSON. For this client alone; the module does not export it. */
package org.svisor.wire;
